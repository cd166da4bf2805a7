package io.taskbroker.admin.web;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;

/// Files of the page, read from the jar and compressed once. Their path contains a digest of all of
/// them, so that browsers keep them until they change. Immutable.
final class PageFiles {
  static final String INDEX = "index.html";

  /// Modules that the first page needs, which the browser is told at once.
  private static final List<String> PRELOADED =
      List.of("api.js", "dom.js", "format.js", "live.js", "overview.js", "shell.js", "texts.js");

  /// All files: resources of a jar cannot be listed. A test compares it with the folder.
  static final List<String> NAMES =
      List.of(
          "actions.js",
          "api.js",
          "app.css",
          "app.js",
          "application.js",
          "audit.js",
          "config.js",
          "dead-letter.js",
          "dead-letters.js",
          "diff.js",
          "dom.js",
          "finished-task.js",
          "finished.js",
          "format.js",
          "icon.svg",
          INDEX,
          "json.js",
          "live.js",
          "login.js",
          "overview.js",
          "partitions.js",
          "replay-run.js",
          "replay.js",
          "rules-editor.js",
          "rules.js",
          "schedule-editor.js",
          "schedule.js",
          "schedules.js",
          "shell.js",
          "task.js",
          "tasks.js",
          "texts.js",
          "workers.js");

  private static final Map<String, String> TYPES =
      Map.of(
          "js", "text/javascript;charset=utf-8",
          "css", "text/css;charset=utf-8",
          "svg", "image/svg+xml",
          "html", "text/html;charset=utf-8");

  private final Map<String, PageFile> files = new TreeMap<>();
  private final String version;

  /// A file.
  ///
  /// @param compressed the same by gzip
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record PageFile(String type, byte[] content, byte[] compressed) {}

  PageFiles() {
    var contents = new TreeMap<String, byte[]>();
    NAMES.forEach(name -> contents.put(name, read(name)));
    version = digest(contents);
    contents.forEach((name, content) -> files.put(name, file(name, content)));
    String index = new String(read(INDEX), UTF_8).replace("VERSION", version);
    StringBuilder preloads = new StringBuilder();
    for (String name : PRELOADED) {
      preloads
          .append("<link rel=\"modulepreload\" href=\"/ui/assets/")
          .append(version)
          .append('/')
          .append(name)
          .append("\">\n");
    }
    files.put(INDEX, file(INDEX, index.replace("<!-- preloads -->", preloads).getBytes(UTF_8)));
  }

  String version() {
    return version;
  }

  PageFile index() {
    return find(INDEX).orElseThrow();
  }

  Optional<PageFile> find(String name) {
    return Optional.ofNullable(files.get(name));
  }

  private static PageFile file(String name, byte[] content) {
    String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
    if (type == null) {
      throw new IllegalStateException("No media type for " + name);
    }
    var compressed = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(compressed)) {
      gzip.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new PageFile(type, content, compressed.toByteArray());
  }

  private static byte[] read(String name) {
    try (InputStream in = PageFiles.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("The page's file " + name + " is not in the jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the page's file " + name, e);
    }
  }

  private static String digest(Map<String, byte[]> contents) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      contents.forEach((name, content) -> {
        digest.update(name.getBytes(UTF_8));
        digest.update(content);
      });
      return HexFormat.of().formatHex(digest.digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
