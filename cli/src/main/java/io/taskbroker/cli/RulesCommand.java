package io.taskbroker.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// Shows and sets the rules of a running broker; with Postgres, of all brokers.
@Command(
    name = "rules",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Shows and sets the rules that switch tasks off or demote namespaces.",
      "Without a subcommand, shows the rules in force."
    },
    subcommands = {
      RulesCommand.Show.class,
      RulesCommand.Set.class,
      RulesCommand.Versions.class,
      RulesCommand.Diff.class,
      RulesCommand.Rollback.class
    })
final class RulesCommand extends OperateCommands implements Runnable {
  private static final String PATH = "/v1/rules";
  private static final int MAX_BYTES = 64 << 10;

  @Override
  public void run() {
    showRules();
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows the rules in force, of the file and of the API.")
  static final class Show extends OperateCommands implements Runnable {
    @Option(
        names = "--yaml",
        description = "Prints the rules of the API as YAML, to edit and to set again.")
    private boolean yaml;

    @Override
    public void run() {
      if (yaml) {
        out().print(target.client().get(PATH, Map.of()).path("rules").asString());
        out().flush();
      } else {
        showRules();
      }
    }
  }

  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Replaces the rules of the API.")
  static final class Set extends Change {
    @Parameters(paramLabel = "FILE", description = "YAML, as in the rules file.")
    private Path file = Path.of("");

    @Option(
        names = "--if-version",
        required = true,
        paramLabel = "N",
        description = "The version that they replace, from rules show; 0 if there is none.")
    private long ifVersion;

    @Override
    public void run() {
      Map<String, Object> body = body(ifVersion);
      body.put("rules", read(file));
      show(target.client().put(PATH, body));
    }

    private static String read(Path file) {
      try {
        if (Files.size(file) > MAX_BYTES) {
          throw new CommandException(file + " is larger than " + MAX_BYTES + " bytes");
        }
        return Files.readString(file);
      } catch (CharacterCodingException e) {
        throw new CommandException(file + " is not UTF-8", e);
      } catch (IOException e) {
        throw new CommandException("cannot read " + file + ": " + e, e);
      }
    }
  }

  @Command(
      name = "rollback",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Sets the rules of an earlier version again, as a new version.")
  static final class Rollback extends Change {
    @Parameters(paramLabel = "VERSION", description = "The version whose rules are set.")
    private long version;

    @Option(
        names = "--if-version",
        paramLabel = "N",
        description = "The version that they replace (default: the one in force).")
    private @Nullable Long ifVersion;

    @Override
    public void run() {
      AdminClient client = target.client();
      Map<String, Object> body =
          body(ifVersion == null ? client.get(PATH, Map.of()).path("version").asLong() : ifVersion);
      body.put("version", version);
      show(client.post(PATH + "/rollback", body));
    }
  }

  @Command(
      name = "versions",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Lists the versions of the rules of the API, or prints one.")
  static final class Versions extends OperateCommands implements Runnable {
    @Parameters(paramLabel = "VERSION", arity = "0..1", description = "Prints its rules.")
    private @Nullable Long version;

    @Override
    public void run() {
      if (version != null) {
        int _ =
            show(
                target.client().get(PATH + "/versions/" + version, Map.of()),
                answer -> out().print(answer.path("rules").asString()));
        return;
      }
      int _ = show(target.client().get(PATH + "/versions", Map.of()), this::table);
    }

    private void table(JsonNode answer) {
      var table = new Table("VERSION", "TIME", "WHO", "REASON");
      for (JsonNode each : answer.path("versions")) {
        table.add(each.path("version"), each.path("time"), each.path("who"), each.path("reason"));
      }
      table.print(out());
    }
  }

  @Command(
      name = "diff",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows what one version changes of another.")
  static final class Diff extends OperateCommands implements Runnable {
    @Parameters(
        index = "0",
        paramLabel = "FROM",
        arity = "0..1",
        description = "A version (default: the one before TO).")
    private @Nullable Long from;

    @Parameters(
        index = "1",
        paramLabel = "TO",
        arity = "0..1",
        description = "A version (default: the newest).")
    private @Nullable Long to;

    @Override
    public void run() {
      var query = new LinkedHashMap<String, String>();
      query.put("from", from == null ? "" : from.toString());
      query.put("to", to == null ? "" : to.toString());
      int _ = show(target.client().get(PATH + "/diff", query), this::printDiff);
    }
  }

  /// Change of the rules.
  abstract static class Change extends OperateCommands implements Runnable {
    @Option(names = "--dry-run", description = "Only says what would change.")
    private boolean dryRun;

    @Option(
        names = "--reason",
        paramLabel = "WHY",
        description = "Why; kept with the version. Required unless --dry-run.")
    private String reason = "";

    Map<String, Object> body(long ifVersion) {
      if (reason.isEmpty() && !dryRun) {
        throw new ParameterException(spec.commandLine(), "missing --reason WHY, or --dry-run");
      }
      var body = new LinkedHashMap<String, Object>();
      body.put("if_version", ifVersion);
      body.put("dry_run", dryRun);
      body.put("reason", reason);
      return body;
    }

    void show(JsonNode answer) {
      int _ = show(answer, this::table);
    }

    private void table(JsonNode answer) {
      printDiff(answer);
      answer
          .path("warnings")
          .forEach(warning -> out().println("! " + Table.printable(warning.asString())));
      if (!dryRun) {
        out().println("version " + answer.path("version") + " is in force");
        return;
      }
      JsonNode touched = answer.path("touched");
      out()
          .println(
              "would remove %s tasks in flight, up to %s by their arguments, and demote %s%s"
                  .formatted(
                      touched.path("removed"),
                      touched.path("removed_by_arguments"),
                      touched.path("demoted"),
                      touched.path("complete").asBoolean() ? "" : "; there are more"));
    }
  }
}
