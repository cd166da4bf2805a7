package io.taskbroker.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.config.AdminConfig.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Bounds of the file of tokens, and what stays in force while it is invalid.
final class TokenFileTest {
  private static final String TOKEN = "0123456789abcdef0123";
  private static final String OTHER = "ann read " + "0".repeat(64) + "\n";

  @TempDir private Path dir;
  private long nanos;
  private int writes;

  @Test
  void g7TokensAreBoundedInNumber() throws Exception {
    TokenFile most = read(OTHER.repeat(499) + line("operate"));
    assertThat(most.find(TOKEN, "peer")).isPresent();
    assertThatThrownBy(() -> read(OTHER.repeat(501)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("501 tokens, not 1 to 500");
    assertThatThrownBy(() -> read("# nobody"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 tokens");
  }

  @Test
  void g7TheFileIsBoundedInSize() throws Exception {
    String line = line("operate");
    String comment = "#".repeat((64 << 10) - line.length());
    assertThat(read(line + comment).find(TOKEN, "peer")).isPresent();
    assertThatThrownBy(() -> read(line + comment + "#"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("larger than 65536 bytes");
  }

  @Test
  void thePreviousTokensStayWhileTheFileIsInvalidOrMissing() throws Exception {
    TokenFile tokens = read(line("operate"));
    write("bob admin");
    nanos += Duration.ofSeconds(1).toNanos();
    assertThat(tokens.find(TOKEN, "peer").orElseThrow().role()).isEqualTo(Role.OPERATE);

    Files.delete(dir.resolve("tokens"));
    nanos += Duration.ofSeconds(1).toNanos();
    assertThat(tokens.find(TOKEN, "peer")).isPresent();

    write(OTHER);
    nanos += Duration.ofSeconds(1).toNanos();
    assertThat(tokens.find(TOKEN, "peer")).as("a token that was removed").isEmpty();
  }

  private TokenFile read(String content) throws IOException {
    return new TokenFile(write(content), () -> nanos);
  }

  private Path write(String content) throws IOException {
    Path file = Files.writeString(dir.resolve("tokens"), content);
    return Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH.plusSeconds(writes++)));
  }

  private static String line(String role) throws Exception {
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(TOKEN.getBytes(UTF_8));
    return "ann " + role + " " + HexFormat.of().formatHex(hash) + "\n";
  }
}
