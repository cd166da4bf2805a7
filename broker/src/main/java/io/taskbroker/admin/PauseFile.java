package io.taskbroker.admin;

import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.runtime.DurableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// File of the pauses in force, so that they outlast the process. Replaced as a whole, on disk
/// before it counts. Not thread-safe.
public final class PauseFile {
  static final int MAX_PAUSES = 1_000;
  private static final int MAX_BYTES = 4 << 20;

  private final Path file;
  private final JsonMapper json = JsonMapper.builder().build();

  public PauseFile(Path file) {
    this.file = file;
  }

  /// Line of the file; empty text for any.
  private record Entry(String application, String namespace, String taskname) {}

  /// The pauses of the file; none if there is no file.
  ///
  /// @throws IllegalArgumentException if it cannot be read: a start without the pauses would
  ///   deliver what an operator holds back
  public Pauses load() {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new IOException("it is larger than " + MAX_BYTES + " bytes");
      }
      Set<Pauses.Pause> pauses = new HashSet<>();
      for (Entry entry : json.readValue(Files.readAllBytes(file), Entry[].class)) {
        pauses.add(
            new Pauses.Pause(
                filled(entry.application()), filled(entry.namespace()), filled(entry.taskname())));
      }
      return new Pauses(pauses);
    } catch (NoSuchFileException _) {
      return Pauses.NONE;
    } catch (IOException | JacksonException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "Cannot read the pauses in "
              + file
              + ": "
              + e.getMessage()
              + "; repair the file, or delete it to deliver everything",
          e);
    }
  }

  private static Optional<String> filled(String text) {
    return Optional.ofNullable(text).filter(it -> !it.isEmpty());
  }

  /// Replaces the file.
  void save(Pauses pauses) throws IOException {
    List<Entry> entries =
        pauses.all().stream()
            .map(pause ->
                new Entry(
                    pause.application().orElse(""),
                    pause.namespace().orElse(""),
                    pause.taskname().orElse("")))
            .toList();
    DurableFile.replace(file, json.writeValueAsBytes(entries));
  }
}
