package io.taskbroker.client.spring;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/// Properties `taskbroker.*`. Their text form hides the secret.
///
/// @param targets brokers as `host:port`
/// @param secret that signs requests
/// @param tls encrypts connections with the certificates that the JVM trusts
/// @param enqueueTimeout how long an enqueue tries, repeats included
@ConfigurationProperties("taskbroker")
public record TaskbrokerProperties(
    @DefaultValue("localhost:50051") List<String> targets,
    @Nullable String secret,
    @DefaultValue("false") boolean tls,
    @DefaultValue("30s") Duration enqueueTimeout,
    @DefaultValue Worker worker,
    @DefaultValue Outbox outbox) {

  /// @param enabled whether to run the tasks of [HandlesTask] methods here
  /// @param application application whose tasks the worker runs
  /// @param slots maximum number of tasks at once, 1 to 10,000
  /// @param leastSlots if given, the number of slots follows the use of memory and processors,
  ///   between this and `slots`
  /// @param stopTimeout how long a stop lets running tasks finish; at most the
  ///   `spring.lifecycle.timeout-per-shutdown-phase`
  public record Worker(
      @DefaultValue("true") boolean enabled,
      @DefaultValue("default") String application,
      @DefaultValue("100") int slots,
      @Nullable Integer leastSlots,
      @DefaultValue("20s") Duration stopTimeout) {}

  /// @param enabled whether there are a [TransactionalTasks] and a relay, on the application's data
  ///   source
  /// @param createTables whether to create the tables at start
  public record Outbox(
      @DefaultValue("false") boolean enabled, @DefaultValue("true") boolean createTables) {}

  @Override
  public String toString() {
    return "TaskbrokerProperties[targets=" + targets + ", tls=" + tls + ", " + worker + "]";
  }
}
