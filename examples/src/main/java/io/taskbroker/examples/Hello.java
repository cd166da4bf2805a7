package io.taskbroker.examples;

import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskHandle;
import io.taskbroker.client.Worker;
import java.time.Duration;

public final class Hello {
  record Greeting(String name) {}

  static final Task<Greeting> GREET =
      Task.of("greet", Greeting.class, greeting -> System.out.println("Hello, " + greeting.name()));

  public static void main(String[] args) {
    String broker = args.length > 0 ? args[0] : "localhost:50051";
    try (TaskClient client = TaskClient.connect(broker);
        Worker worker = Worker.builder(client).task(GREET).start()) {
      TaskHandle handle = client.enqueue(GREET, new Greeting("world"));
      System.out.println(handle.await(Duration.ofSeconds(10)).kind());
    }
  }
}
