package io.taskbroker.store.sqlite;

import static io.taskbroker.store.Rows.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.store.Rows;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;

/// Fuzzing of the row codec: any text without U+0000, any bytes and any times are read as they were
/// written (H12).
final class RowCodecFuzzTest {
  private static Connection database;

  @BeforeAll
  static void open() throws SQLException {
    database = DriverManager.getConnection("jdbc:sqlite::memory:");
    try (var statement = database.createStatement()) {
      statement.execute(SqliteSchema.ACTIVATION);
    }
  }

  @AfterAll
  static void close() throws SQLException {
    database.close();
  }

  @MethodSource("seeds")
  @FuzzTest
  void rowsAreReadAsTheyWereWritten(byte[] input) throws SQLException {
    Row row = row(new Portions(input));
    try (var delete = database.createStatement();
        var insert = database.prepareStatement(SqliteRowCodec.INSERT);
        var select =
            database.prepareStatement("SELECT " + SqliteRowCodec.COLUMNS + " FROM activation")) {
      delete.execute("DELETE FROM activation");
      var codec = new SqliteRowCodec();
      codec.bind(insert, row);
      assertThat(insert.executeUpdate()).isOne();
      try (var result = select.executeQuery()) {
        assertThat(result.next()).isTrue();
        assertThat(Rows.text(codec.read(result))).isEqualTo(Rows.text(row));
      }
    }
  }

  private static Row row(Portions portions) {
    Status[] statuses = Status.values();
    int flags = portions.number();
    Status status = statuses[portions.number() % statuses.length];
    var activation =
        new Activation(
            text(portions),
            text(portions),
            text(portions),
            text(portions),
            portions.bytes(),
            new Origin(text(portions), (int) portions.large(), portions.large()),
            portions.large(),
            portions.large(),
            portions.large(),
            (int) portions.large(),
            FailurePolicy.ofNumber(portions.number()),
            (flags & 1) != 0,
            (flags & 2) != 0);
    Map<String, String> headers = new HashMap<>();
    for (int i = portions.number() % 4; i > 0; i--) {
      headers.put(portions.text(), portions.text());
    }
    return new Row(
        portions.large(),
        activation,
        status,
        portions.large(),
        portions.number(),
        portions.large(),
        portions.large(),
        (flags & 4) != 0,
        (flags & 8) != 0,
        portions.large(),
        (flags & 16) == 0 ? null : new Destination(text(portions), text(portions), headers));
  }

  private static String text(Portions portions) {
    return portions.text().replace("\0", "");
  }

  static Stream<byte[]> seeds() {
    return Stream.of(seed(0, ""), seed(1, "é"), seed(31, "a\"\\\u0000\u001F\uD83D\uDE00\u2028"));
  }

  private static byte[] seed(int flags, String text) {
    var seed = new Portions.Seed().number(flags).number(flags);
    seed.text(text).text(text).text(text).text(text).bytes(new byte[] {0, 1}).text(text);
    seed.large(flags).large(7).large(NOW).large(Long.MAX_VALUE).large(0).large(30).number(2);
    seed.number(flags % 3).text(text).text(text + text).text("x").text(text);
    seed.large(5).large(NOW).number(1).large(-1).large(-1).large(-1).text("t").text("c:1");
    return seed.rest(new byte[0]);
  }
}
