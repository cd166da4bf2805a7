package io.taskbroker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Documents;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigLoader;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Pauses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `docs/admin-api.md` matches the operations, and each operation is described.
final class AdminApiDocumentTest {
  @TempDir private Path dir;

  @Test
  void theDocumentIsUpToDate() throws Exception {
    List<Route> operations = operations();
    Documents.check("admin-api.md", ApiDocument.markdown(operations));
    assertThat(operations).allMatch(route -> route.summary().endsWith("."));
    assertThat(operations)
        .extracting(route -> route.method() + " " + route.path())
        .doesNotHaveDuplicates();
  }

  private List<Route> operations() throws Exception {
    Path file = Files.writeString(dir.resolve("config.yaml"), "admin: {addr: \"127.0.0.1:0\"}");
    BrokerConfig config = ConfigLoader.load(Optional.of(file), Map.of(), _ -> {});
    var server =
        new AdminServer(
            config,
            Optional.empty(),
            new AdminServer.FilesOf(dir.resolve("audit"), dir.resolve("pauses")),
            Pauses.NONE,
            new AdminServer.Parts(
                new NoEngine(),
                new AdminServerTest.NoRows(),
                AdminServerTest.operatorRules(dir, new NoEngine()),
                AdminServerTest.schedules(new NoEngine()),
                new AdminServerTest.FakeBroker()),
            (_, _) -> {});
    return server.operations();
  }

  private static final class NoEngine implements CommandSink {
    @Override
    public void request(Command.Request request) {
      throw new AssertionError(request);
    }

    @Override
    public void submit(Command command) {
      throw new AssertionError(command);
    }
  }
}
