package io.taskbroker.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/// Man pages of all commands, in the language of man(7), from the model of the command line itself.
/// (The generator of picocli writes AsciiDoc, which only a Ruby program makes into a page.)
final class ManPages {
  private ManPages() {}

  /// Text of each page, by its name, such as `taskbroker-rules-set`.
  static SortedMap<String, String> of(CommandLine root) {
    var pages = new TreeMap<String, String>();
    add(root.getCommandSpec(), pages);
    return pages;
  }

  private static void add(CommandSpec spec, SortedMap<String, String> pages) {
    pages.put(name(spec), page(spec));
    children(spec).forEach(child -> add(child, pages));
  }

  private static List<CommandSpec> children(CommandSpec spec) {
    return spec.subcommands().values().stream()
        .map(CommandLine::getCommandSpec)
        .filter(child -> !child.usageMessage().hidden())
        .distinct()
        .toList();
  }

  private static String name(CommandSpec spec) {
    return spec.qualifiedName("-");
  }

  private static String page(CommandSpec spec) {
    var page = new StringBuilder();
    String[] description = spec.usageMessage().description();
    line(
        page,
        ".TH \"%s\" \"1\" \"\" \"%s\" \"Manual of taskbroker\""
            .formatted(escaped(name(spec)).toUpperCase(Locale.ROOT), version(spec)));
    line(page, ".SH NAME");
    text(page, name(spec) + " - " + first(description));
    line(page, ".SH SYNOPSIS", ".nf");
    var help = new Help(spec, Help.defaultColorScheme(Ansi.OFF));
    text(page, help.synopsis(0).strip());
    line(page, ".fi", ".SH DESCRIPTION");
    for (String paragraph : description) {
      text(page, paragraph);
      line(page, ".br");
    }
    arguments(page, spec);
    options(page, spec);
    commands(page, spec);
    exitCodes(page, spec);
    footer(page, spec);
    return page.toString();
  }

  private static String version(CommandSpec spec) {
    return escaped(String.join(" ", spec.root().commandLine().getCommandSpec().version()));
  }

  private static String first(String... description) {
    return description.length == 0 ? "" : description[0].replaceAll("[.:]$", "");
  }

  private static void arguments(StringBuilder page, CommandSpec spec) {
    if (spec.positionalParameters().isEmpty()) {
      return;
    }
    line(page, ".SH ARGUMENTS");
    for (PositionalParamSpec parameter : spec.positionalParameters()) {
      line(page, ".TP", "\\fI" + escaped(parameter.paramLabel()) + "\\fR");
      description(page, parameter);
    }
  }

  private static void options(StringBuilder page, CommandSpec spec) {
    if (spec.options().isEmpty()) {
      return;
    }
    line(page, ".SH OPTIONS");
    for (OptionSpec option : spec.options()) {
      if (!option.hidden()) {
        String names =
            Stream.of(option.names())
                .map(name -> "\\fB" + escaped(name) + "\\fR")
                .collect(Collectors.joining(", "));
        String value =
            option.arity().max() > 0 ? " \\fI" + escaped(option.paramLabel()) + "\\fR" : "";
        line(page, ".TP", names + value);
        description(page, option);
      }
    }
  }

  private static void description(StringBuilder page, ArgSpec argument) {
    Arrays.stream(argument.description()).forEach(line -> text(page, line));
  }

  private static void commands(StringBuilder page, CommandSpec spec) {
    if (children(spec).isEmpty()) {
      return;
    }
    line(page, ".SH COMMANDS");
    for (CommandSpec child : children(spec)) {
      line(page, ".TP", "\\fB" + escaped(child.name()) + "\\fR");
      text(page, first(child.usageMessage().description()) + ": " + name(child) + "(1).");
    }
  }

  private static void exitCodes(StringBuilder page, CommandSpec spec) {
    if (!spec.usageMessage().exitCodeList().isEmpty()) {
      line(page, ".SH EXIT STATUS");
      spec.usageMessage()
          .exitCodeList()
          .forEach((code, meaning) -> {
            line(page, ".TP", "\\fB" + code + "\\fR");
            text(page, meaning);
          });
    }
  }

  private static void footer(StringBuilder page, CommandSpec spec) {
    List<String> related = new ArrayList<>();
    CommandSpec parent = spec.parent();
    if (parent != null) {
      related.add(name(parent) + "(1)");
    }
    children(spec).forEach(child -> related.add(name(child) + "(1)"));
    if (!related.isEmpty()) {
      line(page, ".SH SEE ALSO");
      text(page, String.join(", ", related));
    }
  }

  private static void line(StringBuilder page, String... lines) {
    for (String line : lines) {
      page.append(line).append('\n');
    }
  }

  /// Text of a page, in lines that are no requests of roff.
  private static void text(StringBuilder page, String text) {
    for (String line : text.lines().toList()) {
      String safe = escaped(line);
      page.append(safe.startsWith(".") || safe.startsWith("'") ? "\\&" + safe : safe).append('\n');
    }
  }

  private static String escaped(String text) {
    return text.replace("\\", "\\e").replace("-", "\\-");
  }
}
