package io.taskbroker.cli;

import com.google.protobuf.MessageLite;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc.ScheduleServiceBlockingStub;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/// Command that calls the schedules of a broker. Exit codes: 0 done, 1 refused or no broker, 2
/// wrong arguments, 3 no schedule of that name.
abstract class ScheduleCall implements Callable<Integer> {
  static final String EXIT_CODES =
      "Exit codes: 1 if it was not done, 3 if there is no such schedule.";
  private static final int NOT_FOUND = 3;
  private static final int CALL_SECONDS = 30;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @Mixin private BrokerAddress broker;

  @Option(names = "--json", description = "Prints JSON instead of a table.")
  private boolean json;

  @Spec CommandSpec spec;

  /// Calls of one command.
  final class Connection {
    private final ManagedChannel channel;

    private Connection(ManagedChannel channel) {
      this.channel = channel;
    }

    /// A stub for one call.
    ///
    /// @param method its name
    ScheduleServiceBlockingStub stub(String method, MessageLite request) {
      return ScheduleServiceGrpc.newBlockingStub(channel)
          .withWaitForReady()
          .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
          .withInterceptors(
              broker.signature("/taskbroker.v1.ScheduleService/" + method, request.toByteArray()));
    }
  }

  /// Makes the calls and prints what came of them.
  abstract void call(Connection connection);

  @Override
  public final Integer call() {
    ManagedChannel channel = broker.connect();
    try {
      call(new Connection(channel));
      out().flush();
      return 0;
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("taskbroker: " + Table.printable(description(e.getStatus())));
        err.flush();
        return NOT_FOUND;
      }
      throw new CommandException(explained(e.getStatus()), e);
    } finally {
      channel.shutdownNow();
    }
  }

  PrintWriter out() {
    return spec.commandLine().getOut();
  }

  boolean wantsJson() {
    return json;
  }

  void printJson(Object value) {
    out().println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value));
  }

  private String explained(Status status) {
    return switch (status.getCode()) {
      case UNAUTHENTICATED -> "the broker wants a signature: give --secret";
      case UNIMPLEMENTED -> "the broker at " + broker.address() + " keeps no schedules: upgrade it";
      case DEADLINE_EXCEEDED, UNAVAILABLE ->
          "no broker answers at " + broker.address() + ": start one with ./taskbroker dev";
      default -> "the broker refused it: " + description(status);
    };
  }

  private static String description(Status status) {
    String description = status.getDescription();
    return description == null ? status.getCode().toString() : description;
  }
}
