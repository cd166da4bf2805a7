package io.taskbroker.admin;

import io.taskbroker.inflight.api.Pauses;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;

/// Pauses in force: in the file first, then in the engine. Also whether the broker drains.
/// Thread-safe: one lock, held while the file is written and the engine answers.
final class PauseBook {
  private final PauseFile file;
  private final EngineQueries engine;
  private volatile Pauses pauses;
  private volatile boolean draining;

  PauseBook(PauseFile file, EngineQueries engine, Pauses loaded) {
    this.file = file;
    this.engine = engine;
    this.pauses = loaded;
  }

  synchronized boolean add(Pauses.Pause pause) throws InterruptedException {
    Set<Pauses.Pause> all = new HashSet<>(pauses.all());
    if (all.size() >= PauseFile.MAX_PAUSES && !all.contains(pause)) {
      throw ApiProblem.invalid(
          "There are " + all.size() + " pauses already: resume some of them first");
    }
    boolean added = all.add(pause);
    apply(new Pauses(all));
    return added;
  }

  synchronized boolean remove(Pauses.Pause pause) throws InterruptedException {
    Set<Pauses.Pause> all = new HashSet<>(pauses.all());
    boolean removed = all.remove(pause);
    apply(new Pauses(all));
    return removed;
  }

  private void apply(Pauses other) throws InterruptedException {
    try {
      file.save(other);
    } catch (IOException e) {
      throw ApiProblem.unavailable("Nothing changed: the pauses cannot be written: " + e);
    }
    pauses = other;
    engine.pause(other);
  }

  Views.Pauses view() {
    return new Views.Pauses(
        pauses.all().stream()
            .map(pause -> new Views.Pause(pause.application(), pause.namespace(), pause.taskname()))
            .sorted(Comparator.comparing(Views.Pause::toString))
            .toList());
  }

  void drain() {
    draining = true;
    engine.drain();
  }

  boolean isDraining() {
    return draining;
  }
}
