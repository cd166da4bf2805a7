package io.taskbroker.rules;

import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Watch for changes of a file. It watches the folders, not the file: most editors replace the
/// file, and Kubernetes replaces a symbolic link on the path to it. One thread.
final class FileWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FileWatch.class);

  /// Time without events after which a change counts as complete, and how often it may restart.
  private static final long QUIET_MS = 200;

  private static final int MAX_UNREST = 20;

  private final Path file;
  private final @Nullable WatchService watcher;

  FileWatch(Path file) {
    this.file = file.toAbsolutePath();
    this.watcher = open();
  }

  private @Nullable WatchService open() {
    try {
      return file.getFileSystem().newWatchService();
    } catch (IOException | UnsupportedOperationException e) {
      log.warn("Cannot watch {}, its changes take effect late: {}", file, e.getMessage());
      return null;
    }
  }

  /// Watches the folders where the file is now. Must be called before each read, so that no change
  /// is missed.
  void locate() {
    watch(file.getParent());
    try {
      watch(file.toRealPath().getParent());
    } catch (IOException _) {
      // The file does not exist now; its folder reports when it does.
    }
  }

  private void watch(@Nullable Path folder) {
    if (watcher == null || folder == null) {
      return;
    }
    try {
      folder.register(
          watcher,
          StandardWatchEventKinds.ENTRY_CREATE,
          StandardWatchEventKinds.ENTRY_MODIFY,
          StandardWatchEventKinds.ENTRY_DELETE);
    } catch (IOException | ClosedWatchServiceException _) {
      // The folder does not exist now, or too many are watched: changes take effect late.
    }
  }

  /// Waits for a change and until it seems complete, or for the given time.
  void await(Duration longest) throws InterruptedException {
    if (watcher == null) {
      new CountDownLatch(1).await(longest.toMillis(), TimeUnit.MILLISECONDS);
      return;
    }
    WatchKey key = watcher.poll(longest.toMillis(), TimeUnit.MILLISECONDS);
    for (int i = 0; key != null && i < MAX_UNREST; i++) {
      key.pollEvents();
      key.reset();
      key = watcher.poll(QUIET_MS, TimeUnit.MILLISECONDS);
    }
    if (key != null) {
      key.reset();
    }
  }

  @Override
  public void close() throws IOException {
    if (watcher != null) {
      watcher.close();
    }
  }
}
