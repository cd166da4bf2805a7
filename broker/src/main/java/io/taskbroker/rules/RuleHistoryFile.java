package io.taskbroker.rules;

import io.taskbroker.runtime.DurableFile;
import io.taskbroker.store.RuleHistory;
import io.taskbroker.store.StoreException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// History of the rules of one broker: a JSON file beside its store, replaced as a whole.
/// Thread-safe: one lock.
public final class RuleHistoryFile implements RuleHistory {
  private static final int LARGEST_FILE = 32 << 20;

  private final Path file;
  private final JsonMapper json = JsonMapper.builder().build();
  private List<Version> versions; // the oldest first

  /// Element of the file.
  private record Entry(long number, String at, String who, String why, String rules) {}

  /// @throws IllegalArgumentException if the file cannot be read: a start without its rules would
  ///   run what an operator switched off
  public RuleHistoryFile(Path file) {
    this.file = file;
    this.versions = read();
  }

  private List<Version> read() {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(LARGEST_FILE + 1);
      if (content.length > LARGEST_FILE) {
        throw new IOException("it is larger than " + LARGEST_FILE + " bytes");
      }
      List<Version> read = new ArrayList<>();
      for (Entry entry : json.readValue(content, Entry[].class)) {
        read.add(
            new Version(
                entry.number(),
                Instant.parse(entry.at()),
                entry.who(),
                entry.why(),
                entry.rules()));
      }
      return List.copyOf(read);
    } catch (NoSuchFileException _) {
      return List.of();
    } catch (IOException | JacksonException | java.time.DateTimeException e) {
      throw new IllegalArgumentException(
          "Cannot read the rules that were set by the API in "
              + file
              + ": "
              + e.getMessage()
              + "; repair the file, or delete it to start without them",
          e);
    }
  }

  @Override
  public synchronized Optional<Version> latest() {
    return versions.isEmpty() ? Optional.empty() : Optional.of(versions.getLast());
  }

  @Override
  public synchronized List<Version> versions() {
    return versions.reversed();
  }

  @Override
  public synchronized boolean append(Version version) {
    long last = versions.isEmpty() ? 0 : versions.getLast().number();
    if (version.number() != last + 1) {
      return false;
    }
    List<Version> all = new ArrayList<>(versions);
    all.add(version);
    List<Version> kept = List.copyOf(all.subList(Math.max(0, all.size() - KEPT), all.size()));
    try {
      DurableFile.replace(
          file,
          json.writeValueAsBytes(
              kept.stream()
                  .map(each ->
                      new Entry(
                          each.number(),
                          each.at().toString(),
                          each.who(),
                          each.why(),
                          each.rules()))
                  .toList()));
    } catch (IOException e) {
      throw new StoreException(
          StoreException.Kind.TRANSIENT,
          "Could not write the rules to " + file + ": " + e + "; nothing changed",
          e);
    }
    versions = kept;
    return true;
  }
}
