package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.testkit.ExecutionLog;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/// An operator with the web page open, who loads it anew every five seconds: each use is a first
/// load, without a cache, of the page, all files that it names, the session and the first live
/// figures. The stream of figures stays open until the next load.
final class PageLoad extends AlternatingLoad {
  private static final Pattern FILE = Pattern.compile("(?:src|href)=\"(/ui/assets/[^\"]+)\"");
  private static final String FIGURES = "event: overview";

  private @Nullable InputStream stream;
  private int files;
  private long bytes;

  PageLoad(int adminPort, ExecutionLog log, Duration period) {
    super("page", adminPort, log, Duration.ofSeconds(5), period);
  }

  @Override
  boolean use() throws InterruptedException {
    pause();
    try {
      HttpResponse<byte[]> index = http.send(request("/ui/"), BodyHandlers.ofByteArray());
      List<CompletableFuture<HttpResponse<byte[]>>> asked =
          FILE.matcher(text(index))
              .results()
              .map((MatchResult found) -> ask(found.group(1)))
              .toList();
      CompletableFuture<HttpResponse<byte[]>> session = ask("/ui/session");
      HttpResponse<InputStream> events =
          http.send(request("/ui/events"), BodyHandlers.ofInputStream());
      stream = events.body();
      boolean shown = events.statusCode() == 200 && readFigures(events.body());
      boolean loaded = index.statusCode() == 200 && session.join().statusCode() == 200;
      long size = index.body().length;
      for (CompletableFuture<HttpResponse<byte[]>> each : asked) {
        loaded &= each.join().statusCode() == 200;
        size += each.join().body().length;
      }
      files = asked.size() + 1;
      bytes = size;
      return loaded && shown;
    } catch (IOException | CompletionException _) {
      return false;
    }
  }

  private CompletableFuture<HttpResponse<byte[]>> ask(String path) {
    return http.sendAsync(request(path), BodyHandlers.ofByteArray());
  }

  private HttpRequest request(String path) {
    return HttpRequest.newBuilder(URI.create(url + path))
        .timeout(TIMEOUT)
        .header("Accept-Encoding", "gzip")
        .build();
  }

  private static String text(HttpResponse<byte[]> answer) throws IOException {
    boolean zipped = answer.headers().firstValue("Content-Encoding").orElse("").equals("gzip");
    if (!zipped) {
      return new String(answer.body(), UTF_8);
    }
    try (var in = new GZIPInputStream(new ByteArrayInputStream(answer.body()))) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  /// Waits for the first figures. What comes later waits in the client, which is little.
  private static boolean readFigures(InputStream events) throws IOException {
    var lines = new BufferedReader(new InputStreamReader(events, UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.equals(FIGURES)) {
        return lines.readLine() != null;
      }
    }
    return false;
  }

  /// Closes the page.
  @Override
  void pause() {
    InputStream open = stream;
    stream = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException _) {
        // It is closed either way.
      }
    }
  }

  Map<String, Object> figures() {
    Map<String, Object> figures = figures("loads");
    figures.put("files", files);
    figures.put("bytes", bytes);
    return figures;
  }
}
