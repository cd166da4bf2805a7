package io.taskbroker.testkit;

import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;

/// Child process for [BrokerProcessTest]: listens, reports the given health status, and exits with
/// code 0 on SIGTERM.
final class ChildBroker {
  private ChildBroker() {}

  public static void main(String[] args) throws Exception {
    System.out.println("child says " + System.getenv("CHILD_SAYS"));
    if (args.length == 1) {
      System.err.println("cannot start");
      System.exit(Integer.parseInt(args[0]));
    }
    var health = new HealthStatusManager();
    health.setStatus(ConsumerServiceGrpc.SERVICE_NAME, ServingStatus.valueOf(args[1]));
    var address = Ports.address(Integer.parseInt(args[0]));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
    NettyServerBuilder.forAddress(address)
        .addService(health.getHealthService())
        .build()
        .start()
        .awaitTermination();
  }
}
