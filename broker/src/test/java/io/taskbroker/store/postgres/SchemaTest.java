package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static io.taskbroker.store.postgres.PostgresSetup.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.store.postgres.PostgresOptions.Address;
import io.taskbroker.store.postgres.PostgresOptions.Login;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import io.taskbroker.testkit.ReferencePostgres;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Schema of the tables, independent of the search paths of users.
@Timeout(240)
final class SchemaTest {
  private final Database database = PostgresServer.shared().newDatabase();
  private final PostgresOptions options = PostgresSetup.options(database);
  private final Login user = new Login("user_" + database.name(), "secret");

  @BeforeEach
  void makeUser() {
    database.execute("CREATE USER " + user.username() + " PASSWORD 'secret'");
  }

  @Test
  void tablesHiddenByTheSearchPathAreFound() {
    database.execute(
        "CREATE SCHEMA hiding AUTHORIZATION " + user.username(),
        "ALTER ROLE " + user.username() + " SET search_path = hiding");
    works(with(user, Optional.of(options.login()), ""));
    assertThat(schemaOf("inflight_taskactivations")).isEqualTo("public");
    works(with(user, Optional.empty(), ""));
  }

  @Test
  void tablesAreCreatedInTheSchemaOfTheMigratorAndTheUserHasAccess() {
    database.execute("CREATE SCHEMA \"of Tasks\"");
    String parameters = "currentSchema=%22of%20Tasks%22";
    works(with(user, Optional.of(options.login()), parameters));
    assertThat(schemaOf("inflight_taskactivations")).isEqualTo("of Tasks");
    assertThat(schemaOf("taskbroker_schema_history")).isEqualTo("of Tasks");
    works(with(user, Optional.empty(), ""));
    works(with(user, Optional.of(options.login()), "")); // its search path names another schema
    assertThat(schemaOf("taskbroker_schema_history")).isEqualTo("of Tasks");
  }

  @Test
  void tableOfTheReferenceIsConvertedInItsSchema() {
    var statements = new ArrayList<String>();
    statements.addAll(List.of("CREATE SCHEMA theirs", "SET search_path = theirs"));
    statements.addAll(List.of(ReferencePostgres.statements()));
    database.execute(statements.toArray(String[]::new));
    works(options);
    assertThat(schemaOf("taskbroker_schema_history")).isEqualTo("theirs");
    assertThat(schemaOf("inflight_taskactivations")).isEqualTo("theirs");
  }

  @Test
  void severalSchemasWithTablesAreNamedAndOneCanBeChosen() {
    database.execute("CREATE SCHEMA a", "CREATE SCHEMA b");
    PostgresStore.migrate(with(options.login(), Optional.of(options.login()), "currentSchema=a"));
    database.execute("CREATE TABLE b.taskbroker_schema_history (LIKE a.taskbroker_schema_history)");
    assertThatThrownBy(() -> PostgresStore.open(options))
        .hasMessageContainingAll("[a, b]", "currentSchema=NAME");
    works(with(options.login(), Optional.empty(), "currentSchema=a"));
  }

  @Test
  void migratorWithoutASchemaFails() {
    database.execute("DROP SCHEMA public");
    assertThatThrownBy(() -> PostgresStore.open(options))
        .hasMessageContainingAll("no schema", "search_path", "currentSchema=NAME");
  }

  private void works(PostgresOptions by) {
    try (PostgresStore store = PostgresStore.open(by)) {
      store.take(partition(0), 1);
      store.commit(new WriteBatch(1, List.of(insert(store.lastKey() + 1, 0))));
      assertThat(store.load(0, 10)).isNotEmpty();
      store.maintain(Rows.NOW);
    }
  }

  private String schemaOf(String table) {
    return query(
        database,
        """
        SELECT string_agg(n.nspname, ',') FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = '%s'
        """
            .formatted(table));
  }

  private PostgresOptions with(Login login, Optional<Login> migrator, String parameters) {
    Address address =
        new Address(
            database.host(), database.port(), database.name(), "postgres", Optional.of(parameters));
    return new PostgresOptions(address, login, migrator, options.limits(), options.retry());
  }
}
