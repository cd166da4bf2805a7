package io.taskbroker.lab.rig;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/// Work that is left in a broker, seen from outside: messages without a committed offset, and rows
/// of its database.
///
/// @param partitions number of partitions by topic
public record LeftOvers(String bootstrap, String group, Map<String, Integer> partitions) {
  private static final long LOOK_MILLIS = 200;

  public LeftOvers {
    partitions = Map.copyOf(partitions);
  }

  /// Number of uncommitted messages of the topics, once it is zero or the time is up.
  public long uncommitted(Duration patience, CountDownLatch stop) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    try (var admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap))) {
      long left = uncommitted(admin);
      while (left > 0
          && System.nanoTime() - deadline < 0
          && !stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        left = uncommitted(admin);
      }
      return left;
    }
  }

  private long uncommitted(Admin admin) throws InterruptedException {
    var latest = new HashMap<TopicPartition, OffsetSpec>();
    partitions.forEach((topic, count) -> {
      for (int i = 0; i < count; i++) {
        latest.put(new TopicPartition(topic, i), OffsetSpec.latest());
      }
    });
    try {
      var ends = admin.listOffsets(latest).all().get();
      var committed =
          admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(group).get();
      long left = 0;
      for (var end : ends.entrySet()) {
        @Nullable OffsetAndMetadata done = committed.get(end.getKey());
        left += end.getValue().offset() - (done == null ? 0 : done.offset());
      }
      return left;
    } catch (ExecutionException e) {
      throw new IllegalStateException("Could not read the offsets of " + partitions.keySet(), e);
    }
  }

  /// Number of tasks in the database of a broker, read through the view that the reference's tools
  /// use.
  public static long rows(Path database) {
    if (!Files.exists(database)) {
      throw new IllegalStateException("There is no database " + database);
    }
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        var statement = connection.createStatement();
        var result = statement.executeQuery("SELECT count(*) FROM inflight_taskactivations")) {
      result.next();
      return result.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException("Could not count the tasks in " + database, e);
    }
  }
}
