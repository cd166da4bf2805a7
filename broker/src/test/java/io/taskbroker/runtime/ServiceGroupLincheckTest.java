package io.taskbroker.runtime;

import static io.taskbroker.Interleavings.check;
import static io.taskbroker.Interleavings.join;
import static io.taskbroker.Interleavings.shared;
import static io.taskbroker.Interleavings.start;

import io.taskbroker.Interleavings;
import io.taskbroker.Interleavings.Actor;
import io.taskbroker.runtime.ServiceGroup.State;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Group stopped during its start, as by a signal: started services are stopped once, in reverse,
/// before any stop returns (H25).
@Tag("concurrency")
@Timeout(300)
final class ServiceGroupLincheckTest {
  @Test
  void h25StopDuringStartStopsStartedServicesInReverse() {
    Interleavings.of(() -> {
      List<String> events = new ArrayList<>();
      var parts = List.of(part("a", events), part("b", events));
      var group = shared(new ServiceGroup("group", parts));
      boolean[] refused = new boolean[1];
      Actor starter =
          start(() -> {
            try {
              group.start();
            } catch (IllegalStateException _) {
              refused[0] = true;
            }
          });
      Actor other = start(() -> group.stop());
      group.stop();
      check(group.state() == State.STOPPED, group.state());
      List<String> atStop = List.copyOf(events);
      join(starter, other);
      check(events.equals(atStop), "then " + events + ", at the stop " + atStop);
      boolean all = events.equals(List.of("+a", "+b", "-b", "-a"));
      boolean first = events.equals(List.of("+a", "-a"));
      check(refused[0] ? events.isEmpty() || first : all, events + ", refused: " + refused[0]);
    });
  }

  private static Service part(String name, List<String> events) {
    return new Service() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public void start() {
        events.add("+" + name);
      }

      @Override
      public void stop() {
        events.add("-" + name);
      }
    };
  }
}
