package io.taskbroker.admin;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.TaskSnapshot;
import io.taskbroker.inflight.api.WaitingReason;
import io.taskbroker.inflight.api.WaitingReason.Kind;
import io.taskbroker.payload.DecodedPayload;
import io.taskbroker.payload.Redaction;
import io.taskbroker.store.Fleet;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowBrowser.Found;
import io.taskbroker.store.RowBrowser.Position;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Search of the tasks in flight: rows from the store, and for each page of them the engine's view.
/// It ends after [#WITHIN], with a cursor for the rest. Thread-safe.
final class TaskSearch {
  static final Duration WITHIN = Duration.ofMillis(800);
  private static final int PAGE = 500;

  /// A row that is parked for longer than this has not been read back into memory: all but the
  /// parked ones wait for something else.
  private static final long READ_BACK_MS = 60_000;

  private static final int MAX_PAYLOADS = 2_000;
  private static final long LARGEST_PAYLOAD = 1 << 20;
  private static final Redaction NOTHING = new Redaction(List.of());

  private final RowBrowser rows;
  private final EngineQueries engine;
  private final String broker;
  private final InstantSource clock;

  /// @param broker name of this one
  TaskSearch(RowBrowser rows, EngineQueries engine, String broker, InstantSource clock) {
    this.rows = rows;
    this.engine = engine;
    this.broker = broker;
    this.clock = clock;
  }

  /// Filter of a search; an empty field matches all.
  ///
  /// @param header `name` or `name=value`
  record Filter(
      Optional<String> id,
      Optional<String> application,
      Optional<String> namespace,
      Optional<String> taskname,
      Optional<Status> status,
      Optional<Kind> waiting,
      Optional<Boolean> parked,
      Optional<Long> olderThanSeconds,
      Optional<Long> youngerThanSeconds,
      int minAttempts,
      Optional<Integer> priority,
      Optional<String> header) {
    /// Whether the rows alone say what matches.
    private boolean isOfRows() {
      return status.isEmpty() && waiting.isEmpty() && minAttempts == 0 && header.isEmpty();
    }
  }

  /// A task that was found.
  ///
  /// @param known the engine's view; null at another broker
  record Hit(Position position, long key, Views.Task view, @Nullable TaskSnapshot known) {}

  /// @param next where to go on; empty if there is nothing more
  record Result(List<Hit> hits, Optional<Position> next) {}

  Result search(Filter filter, Position after, int limit) throws InterruptedException {
    long end = System.nanoTime() + WITHIN.toNanos();
    long now = clock.millis();
    var hits = new ArrayList<Hit>();
    Position reached = after;
    int payloads = MAX_PAYLOADS;
    Optional<Map<Integer, String>> owners = rows.fleet().map(Fleet::owners);
    while (true) {
      Duration left = Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
      int most = filter.isOfRows() ? Math.min(PAGE, limit - hits.size()) : PAGE;
      RowBrowser.Page page = rows.browse(query(filter, reached, now, most, left));
      Map<String, TaskSnapshot> known = known(page.rows());
      for (Found found : page.rows()) {
        TaskSnapshot snapshot = known.get(found.row().activation().id());
        if (snapshot != null && snapshot.key() != found.row().key()) {
          snapshot = null;
        }
        if (matches(filter, found, snapshot, now)) {
          if (filter.header().isPresent() && payloads-- <= 0) {
            return new Result(hits, Optional.of(reached));
          }
          if (filter.header().isEmpty() || hasHeader(found, filter.header().get())) {
            hits.add(
                new Hit(
                    found.position(),
                    found.row().key(),
                    view(found, snapshot, owner(owners, found), clock.millis()),
                    snapshot));
          }
        }
        reached = found.position();
        if (hits.size() == limit) {
          return new Result(hits, Optional.of(reached));
        }
      }
      if (page.next().isEmpty()) {
        return new Result(hits, Optional.empty());
      }
      reached = page.next().get();
      if (System.nanoTime() - end > 0) {
        return new Result(hits, Optional.of(reached));
      }
    }
  }

  private static RowBrowser.Query query(
      Filter filter, Position after, long now, int limit, Duration within) {
    boolean parkedOnly = filter.waiting().filter(reason -> reason == Kind.PARKED).isPresent();
    // Only what is in memory is with workers or ending, whatever the row says.
    boolean inMemoryOnly =
        filter
            .status()
            .filter(status -> status != Status.PENDING && status != Status.DELAY)
            .isPresent();
    Optional<Boolean> parked =
        filter.parked().isPresent() || !(parkedOnly || inMemoryOnly)
            ? filter.parked()
            : Optional.of(parkedOnly);
    return new RowBrowser.Query(
        after,
        filter.id(),
        filter.application(),
        filter.namespace(),
        filter.taskname(),
        filter.status().map(status -> new RowBrowser.StatusAt(status, now)),
        parked,
        filter.waiting().isPresent() && !parkedOnly ? now + READ_BACK_MS : Long.MAX_VALUE,
        filter.priority(),
        filter.youngerThanSeconds().map(age -> now - 1_000 * age).orElse(Long.MIN_VALUE),
        filter.olderThanSeconds().map(age -> now - 1_000 * age).orElse(Long.MAX_VALUE),
        filter.minAttempts(),
        limit,
        within);
  }

  private Map<String, TaskSnapshot> known(List<Found> found) throws InterruptedException {
    var known = new HashMap<String, TaskSnapshot>();
    for (TaskSnapshot snapshot :
        engine.inspect(found.stream().map(row -> row.row().activation().id()).toList())) {
      known.put(snapshot.id(), snapshot);
    }
    return known;
  }

  private static boolean matches(
      Filter filter, Found found, @Nullable TaskSnapshot known, long now) {
    return filter
            .status()
            .filter(status -> !status.storedName().equals(status(found.row(), known, now)))
            .isEmpty()
        && filter
            .waiting()
            .filter(reason -> known == null || known.why().kind() != reason)
            .isEmpty()
        && filter.minAttempts() <= attempts(found.row(), known);
  }

  private static int attempts(Row row, @Nullable TaskSnapshot known) {
    return Math.max(row.attempts(), known == null ? 0 : known.attempts());
  }

  private static String status(Row row, @Nullable TaskSnapshot known, long now) {
    if (known != null && !known.status().isEmpty()) {
      return known.status();
    }
    boolean due = row.status() == Status.DELAY && row.activation().delayUntil() <= now;
    return (due ? Status.PENDING : row.status()).storedName();
  }

  private boolean hasHeader(Found found, String wanted) {
    if (found.payloadBytes() > LARGEST_PAYLOAD) {
      return false;
    }
    int equals = wanted.indexOf('=');
    String name = equals < 0 ? wanted : wanted.substring(0, equals);
    return rows.payload(found.position())
        .map(payload -> DecodedPayload.of(payload, NOTHING).headers().get(name))
        .filter(value -> equals < 0 || value.equals(wanted.substring(equals + 1)))
        .isPresent();
  }

  private Optional<String> owner(Optional<Map<Integer, String>> owners, Found found) {
    return owners.isEmpty()
        ? Optional.of(broker)
        : Optional.ofNullable(owners.get().get(found.position().partitionId()));
  }

  private static Views.Task view(
      Found found, @Nullable TaskSnapshot known, Optional<String> owner, long now) {
    Row row = found.row();
    Activation activation = row.activation();
    OptionalLong deadline = known == null ? OptionalLong.empty() : known.deadline();
    return new Views.Task(
        activation.id(),
        activation.application(),
        activation.namespace(),
        activation.taskname(),
        status(row, known, now),
        Optional.ofNullable(known).map(TaskSnapshot::state),
        Optional.ofNullable(known).map(snapshot -> waiting(snapshot.why())),
        attempts(row, known),
        activation.priority(),
        activation.atMostOnce(),
        Instant.ofEpochMilli(activation.receivedAt()),
        activation.delayUntil() == 0 ? Optional.empty() : time(activation.delayUntil()),
        activation.expiresAt() == Activation.NEVER
            ? Optional.empty()
            : time(activation.expiresAt()),
        deadline.isPresent() ? time(deadline.getAsLong()) : Optional.empty(),
        known == null ? row.parkedUntil() != Row.NONE : known.why().kind() == Kind.PARKED,
        Optional.ofNullable(row.forwardTo()).map(destination -> destination.topic()),
        owner,
        activation.origin().topic(),
        activation.origin().partition(),
        activation.origin().offset(),
        found.payloadBytes());
  }

  static Optional<Instant> time(long millis) {
    return Optional.of(Instant.ofEpochMilli(millis));
  }

  private static Views.Waiting waiting(WaitingReason why) {
    return new Views.Waiting(
        why.kind().name(),
        why.until().isPresent() ? time(why.until().getAsLong()) : Optional.empty(),
        why.detail(),
        Advice.on(why.kind()));
  }
}
