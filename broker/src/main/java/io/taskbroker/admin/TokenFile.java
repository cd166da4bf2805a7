package io.taskbroker.admin;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.config.AdminConfig.Role;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Bearer tokens of a file that holds only their hashes: one a line, name, role and the SHA-256 in
/// hexadecimal; `#` begins a comment. A changed file is read again within a second; while it is
/// invalid, the previous tokens stay. Thread-safe.
final class TokenFile {
  private static final Logger log = LoggerFactory.getLogger(TokenFile.class);
  private static final int MAX_BYTES = 64 << 10;
  private static final int MAX_TOKENS = 500;
  private static final int LEAST_TOKEN = 16;
  private static final int MAX_TOKEN = 512;
  private static final long CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Path file;
  private final LongSupplier nanoTime;
  private List<Token> tokens;
  private FileTime stamp;
  private long checkedAt;

  /// A token's owner; equality by hash only.
  @SuppressWarnings("ArrayRecordComponent") // compared by hash only
  private record Token(String name, Role role, byte[] hash) {}

  /// @throws IllegalArgumentException if the file cannot be read or is invalid
  TokenFile(Path file) {
    this(file, System::nanoTime);
  }

  TokenFile(Path file, LongSupplier nanoTime) {
    this.file = file;
    this.nanoTime = nanoTime;
    this.checkedAt = nanoTime.getAsLong();
    try {
      stamp = Files.getLastModifiedTime(file);
      tokens = read(file);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "Cannot read the tokens of " + file + " (admin.tokens): " + e, e);
    }
  }

  /// The owner of a token. Compares with every token, each in constant time.
  synchronized Optional<Caller> find(String token, String address) {
    reload();
    if (token.length() < LEAST_TOKEN || token.length() > MAX_TOKEN) {
      return Optional.empty();
    }
    byte[] hash = sha256(token);
    Token match = null;
    for (Token known : tokens) {
      if (MessageDigest.isEqual(known.hash(), hash)) {
        match = known;
      }
    }
    return match == null
        ? Optional.empty()
        : Optional.of(new Caller(match.name(), match.role(), address));
  }

  private void reload() {
    long now = nanoTime.getAsLong();
    if (now - checkedAt < CHECK_NANOS) {
      return;
    }
    checkedAt = now;
    try {
      FileTime found = Files.getLastModifiedTime(file);
      if (!found.equals(stamp)) {
        stamp = found;
        tokens = read(file);
        log.info("The tokens of the admin API changed: {} are valid", tokens.size());
      }
    } catch (IOException | IllegalArgumentException e) {
      log.warn("The tokens of {} are not applied, the previous ones stay: {}", file, e.toString());
    }
  }

  private static List<Token> read(Path file) throws IOException {
    byte[] content;
    try (InputStream in = Files.newInputStream(file)) {
      content = in.readNBytes(MAX_BYTES + 1);
    }
    if (content.length > MAX_BYTES) {
      throw new IllegalArgumentException(
          "The tokens of " + file + " are larger than " + MAX_BYTES + " bytes (admin.tokens)");
    }
    var found = new ArrayList<Token>();
    int number = 0;
    for (String line : new String(content, UTF_8).split("\n", -1)) {
      number++;
      String text = line.strip();
      if (!text.isEmpty() && !text.startsWith("#")) {
        found.add(token(text, file, number));
      }
    }
    if (found.isEmpty() || found.size() > MAX_TOKENS) {
      throw new IllegalArgumentException(
          file + " has " + found.size() + " tokens, not 1 to " + MAX_TOKENS + " (admin.tokens)");
    }
    return List.copyOf(found);
  }

  private static Token token(String text, Path file, int number) {
    String[] parts = text.split("\\s+", -1);
    try {
      if (parts.length == 3 && parts[2].length() == 64) {
        return new Token(
            parts[0],
            Role.valueOf(parts[1].toUpperCase(Locale.ROOT)),
            HexFormat.of().parseHex(parts[2].toLowerCase(Locale.ROOT)));
      }
    } catch (IllegalArgumentException _) {
      // reported below; the line may hold a secret
    }
    throw new IllegalArgumentException(
        file
            + " line "
            + number
            + " (admin.tokens) must be: NAME read|operate|admin SHA256, the hash of 64 hexadecimal"
            + " digits as printed by sha256sum");
  }

  private static byte[] sha256(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
