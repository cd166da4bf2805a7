package io.taskbroker.rules;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdInputStream;
import com.google.protobuf.ByteString;
import io.taskbroker.config.Literal;
import io.taskbroker.fuzz.Cost;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;

/// Fuzz test of a task's parameters under a selector: arbitrary bytes, compressed or not
/// (reference-spec 2.3, 3.7).
final class ArgumentsFuzzTest {
  private static final Literal ONE = new Literal.Whole(BigInteger.ONE);
  private static final Selector SELECTOR =
      new Selector(
          false,
          Map.of(
              0, Set.of(ONE, new Literal.Text("a"), new Literal.Real(0.0), Literal.Nil.NIL),
              2, Set.of(new Literal.Items(List.of(ONE, new Literal.Bool(true))))),
          Map.of(
              "k", Set.of(new Literal.Text("é"), new Literal.Whole(BigInteger.valueOf(-1))),
              "m", Set.of(new Literal.Fields(Map.of("a", new Literal.Items(List.of(ONE)))))));

  /// Budget for a few KiB that are decompressed piece by piece.
  private static final long COST = 64L << 20;

  @MethodSource("seeds")
  @FuzzTest
  void selectsWhatIsAmongTheValues(byte[] input) throws IOException {
    var portions = new Portions(input);
    int form = portions.number();
    byte[] given = portions.rest();
    byte[] activation =
        switch (form % 4) {
          case 0 -> activation("", given);
          case 1 -> activation("zstd", Zstd.compress(given));
          case 2 -> activation("zstd", given);
          default -> given;
        };

    boolean selected = Cost.within(COST, () -> Arguments.match(SELECTOR, activation));

    assertThat(selected).isEqualTo(expected(activation));
  }

  private static byte[] activation(String compression, byte[] parameters) {
    var activation =
        TaskActivation.newBuilder().setParametersBytes(ByteString.copyFrom(parameters));
    if (!compression.isEmpty()) {
      activation.putHeaders("compression-type", compression);
    }
    return activation.build().toByteArray();
  }

  /// Expected result, computed by reading all of it into memory first.
  private static boolean expected(byte[] activation) {
    try {
      var decoded = TaskActivation.parseFrom(activation);
      byte[] parameters = decoded.getParametersBytes().toByteArray();
      if (decoded.getHeadersOrDefault("compression-type", "").equals("zstd")) {
        try (var in = new ZstdInputStream(decoded.getParametersBytes().newInput())) {
          parameters = in.readNBytes(16 << 20);
        }
      }
      try (var in = MessagePack.newDefaultUnpacker(parameters)) {
        return tree(in) instanceof Pairs(var pairs) && isSelected(pairs);
      }
    } catch (IOException | RuntimeException _) {
      return false;
    }
  }

  /// A value in MessagePack.
  private sealed interface Tree {}

  /// @param literal empty if no rules file can hold such a value
  private record Leaf(Optional<Literal> literal) implements Tree {}

  private record Elements(List<Tree> elements) implements Tree {}

  private record Pairs(List<Map.Entry<Tree, Tree>> pairs) implements Tree {}

  private static Tree tree(MessageUnpacker in) throws IOException {
    return switch (in.getNextFormat().getValueType()) {
      case NIL -> {
        in.unpackNil();
        yield leaf(Literal.Nil.NIL);
      }
      case BOOLEAN -> leaf(new Literal.Bool(in.unpackBoolean()));
      case INTEGER -> leaf(new Literal.Whole(in.unpackBigInteger()));
      case FLOAT -> {
        double number = in.unpackDouble();
        yield Double.isNaN(number) ? new Leaf(Optional.empty()) : leaf(new Literal.Real(number));
      }
      case STRING -> {
        int length = in.unpackRawStringHeader();
        // Otherwise the unpacker reserves the announced size.
        var bytes = new ByteArrayOutputStream();
        for (int i = 0; i < length; i++) {
          bytes.writeBytes(in.readPayload(1));
        }
        yield leaf(new Literal.Text(bytes.toString(UTF_8)));
      }
      case ARRAY -> {
        var elements = new ArrayList<Tree>();
        for (int left = in.unpackArrayHeader(); left > 0; left--) {
          elements.add(tree(in));
        }
        yield new Elements(elements);
      }
      case MAP -> {
        var pairs = new ArrayList<Map.Entry<Tree, Tree>>();
        for (int left = in.unpackMapHeader(); left > 0; left--) {
          pairs.add(Map.entry(tree(in), tree(in)));
        }
        yield new Pairs(pairs);
      }
      case BINARY, EXTENSION -> {
        in.skipValue();
        yield new Leaf(Optional.empty());
      }
    };
  }

  private static Leaf leaf(Literal literal) {
    return new Leaf(Optional.of(literal));
  }

  private static boolean isSelected(List<Map.Entry<Tree, Tree>> pairs) throws IOException {
    boolean selected = false;
    for (var pair : pairs) {
      switch (text(pair.getKey())) {
        case "args" -> {
          List<Tree> values = ((Elements) pair.getValue()).elements();
          for (int at = 0; at < values.size(); at++) {
            selected |= isAmong(values.get(at), SELECTOR.arguments().get(at));
          }
        }
        case "kwargs" -> {
          for (var keyword : ((Pairs) pair.getValue()).pairs()) {
            Set<Literal> values = SELECTOR.keywords().get(text(keyword.getKey()));
            selected |= isAmong(keyword.getValue(), values);
          }
        }
        default -> {}
      }
    }
    return selected;
  }

  /// A key, which must be text.
  private static String text(Tree key) throws IOException {
    if (key instanceof Leaf(var literal)
        && literal.orElse(Literal.Nil.NIL) instanceof Literal.Text(String text)) {
      return text;
    }
    throw new IOException("a key is not text");
  }

  private static boolean isAmong(Tree value, @Nullable Set<Literal> values) {
    return values != null && literal(value).filter(values::contains).isPresent();
  }

  private static Optional<Literal> literal(Tree tree) {
    return switch (tree) {
      case Leaf(var literal) -> literal;
      case Elements(var elements) -> {
        var items = elements.stream().map(ArgumentsFuzzTest::literal).toList();
        yield items.stream().allMatch(Optional::isPresent)
            ? Optional.of(new Literal.Items(items.stream().map(Optional::orElseThrow).toList()))
            : Optional.empty();
      }
      case Pairs(var pairs) -> {
        var fields = new HashMap<String, Literal>();
        boolean whole = true;
        for (var pair : pairs) {
          var key = literal(pair.getKey()).orElse(Literal.Nil.NIL);
          var field = literal(pair.getValue());
          if (field.isPresent() && key instanceof Literal.Text(String name)) {
            fields.put(name, field.get());
          } else {
            whole = false;
          }
        }
        yield whole ? Optional.of(new Literal.Fields(fields)) : Optional.empty();
      }
    };
  }

  static Stream<byte[]> seeds() {
    String both =
        "82a46172677393a16102920 1c3a66b776172677382a16bffa16d81a1619101".replace(" ", "");
    String deep = "81a461726773dc0001" + "91".repeat(60) + "01";
    return Stream.concat(
        Stream.of(0, 1).flatMap(form -> Stream.of(both, deep).map(hex -> seed(form, hex))),
        Stream.of(
            seed(0, "81a461726773dd7fffffff01"),
            seed(0, "81a461726773" + "91dbffffffff"),
            seed(0, "81a6" + "6b7761726773" + "81a16bc403010203"),
            new Portions.Seed().number(2).rest(Zstd.compress(new byte[100_000])),
            new Portions.Seed().number(3).rest(activation("gzip", new byte[] {(byte) 0x80}))));
  }

  private static byte[] seed(int form, String hex) {
    return new Portions.Seed().number(form).rest(HexFormat.of().parseHex(hex));
  }
}
