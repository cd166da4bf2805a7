package io.taskbroker.cli;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options that locate a broker's admin API and choose the form of the output.
final class AdminTarget {
  @Option(
      names = "--admin",
      paramLabel = "URL",
      defaultValue = "${env:TASKBROKER_ADMIN_URL:-http://127.0.0.1:9470}",
      description = "The broker's admin.addr as a URL (default: ${DEFAULT-VALUE}).")
  private String url = "";

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      defaultValue = "${env:TASKBROKER_ADMIN_TOKEN_FILE}",
      description = "File that holds a bearer token (default: TASKBROKER_ADMIN_TOKEN_FILE).")
  private @Nullable Path token;

  @Option(
      names = "--ca",
      paramLabel = "FILE",
      description = "PEM file of the CA certificates to trust for https (default: Java's).")
  private @Nullable Path ca;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "table",
      description = "Form: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private OutputFormat output = OutputFormat.TABLE;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "20",
      description = "Longest wait for an answer (default: ${DEFAULT-VALUE}).")
  private int seconds;

  boolean wantsJson() {
    return output == OutputFormat.JSON;
  }

  AdminClient client() {
    return new AdminClient(url, token, ca, Duration.ofSeconds(Math.max(1, seconds)));
  }
}
