package io.taskbroker.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Conversion of bytes to streams and back.
final class MessageBytesTest {
  private static final byte[] MESSAGE = {1, 2, -1, 4, 5};

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4, 5, 6, 100})
  void readsAllBytesWhateverIsAnnounced(int announced) throws IOException {
    InputStream in =
        new FilterInputStream(new ByteArrayInputStream(MESSAGE)) {
          @Override
          public int available() {
            return announced;
          }
        };

    assertThat(MessageBytes.readAll(in)).isEqualTo(MESSAGE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5})
  void drainsTheRest(int read) throws IOException {
    MessageBytes in = new MessageBytes(MESSAGE);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < read; i++) {
      out.write(in.read());
    }

    assertThat(in.drainTo(out)).isEqualTo(MESSAGE.length - read);

    assertThat(out.toByteArray()).isEqualTo(MESSAGE);
    assertThat(in.available()).isZero();
    assertThat(in.read()).isEqualTo(-1);
    assertThat(in.read(new byte[1], 0, 1)).isEqualTo(-1);
  }
}
