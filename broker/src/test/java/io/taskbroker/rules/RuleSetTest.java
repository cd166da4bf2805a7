package io.taskbroker.rules;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import com.google.protobuf.ByteString;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.config.Literal;
import io.taskbroker.config.RuntimeConfig;
import io.taskbroker.config.RuntimeConfig.Killswitch;
import io.taskbroker.inflight.api.Rules.Decision;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;

/// Decisions of rules (reference-spec 3.7).
final class RuleSetTest {
  private static final RuleContext CONTEXT =
      new RuleContext(
          "long", "dead:9092", true, List.of(new RuleContext.Consumed("tasks", "main:9092,b")));
  private static final Decision KEPT = Decision.Kept.AS_IT_IS;
  private static final Decision BY_NAME = new Decision.Killed(false);
  private static final Decision BY_SELECTOR = new Decision.Killed(true);

  @Test
  void aNameKillsEveryTaskOfIt() {
    RuleSet rules = rules("[m:bad, {name: m:bad, select_arg: {0: 1}}]", "[]", "");
    assertThat(rules.exist()).isTrue();
    assertThat(rules.judge(task("m:bad", "ns", new byte[0]))).isEqualTo(BY_NAME);
    assertThat(rules.judge(task("m:good", "ns", new byte[0]))).isEqualTo(KEPT);
    assertThat(rules.judge(task("m:ba", "ns", new byte[0]))).isEqualTo(KEPT);
  }

  @Test
  void anEmptyFileHasNoRules() {
    assertThat(rules("[]", "[]", "").exist()).isFalse();
    assertThat(rules("[{name: a}]", "[]", "").exist()).isFalse();
    assertThat(rules("[{name: a}]", "[]", "").judge(task("a", "n", new byte[0]))).isEqualTo(KEPT);
  }

  /// Values of an argument, and the only literals equal to them.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          7b|123
          cc7b|123
          cd007b|123
          ce0000007b|123
          cf000000000000007b|123
          d07b|123
          d1007b|123
          d20000007b|123
          d3000000000000007b|123
          ff|-1
          d3ffffffffffffffff|-1
          cfffffffffffffffff|18446744073709551615
          cb405ec00000000000|123.0
          ca42f60000|123.0
          cb8000000000000000|0.0
          a3313233|'123'
          d903313233|'123'
          da0003313233|'123'
          c0|null
          c2|false
          c3|true
          a474727565|'true'
          90|[]
          9101|[1]
          dc000101|[1]
          9102|[2]
          91c0|[null]
          92a1619101|[a, [1]]
          80|{}
          81a16101|{a: 1}
          de0001a16101|{a: 1}
          82a16202a16101|{a: 1, b: 2}
          """)
  void valuesAreEqualIfTheirTypesAre(String argument, String literal) {
    List<String> literals =
        List.of(
            "123",
            "-1",
            "18446744073709551615",
            "123.0",
            "0.0",
            "'123'",
            "null",
            "false",
            "true",
            "'true'",
            "[]",
            "[1]",
            "[2]",
            "[null]",
            "[a, [1]]",
            "{}",
            "{a: 1}",
            "{a: 1, b: 2}");
    assertThat(literals).contains(literal);
    byte[] value = hex(argument);
    for (String other : literals) {
      boolean same = other.equals(literal);
      assertThat(isSelected("{name: t, select_arg: {1: " + other + "}}", args("01", value)))
          .as("%s in a file, %s in a task", other, argument)
          .isEqualTo(same);
      assertThat(isSelected("{name: t, select_kwarg: {k: " + other + "}}", kwargs("k", value)))
          .as("%s in a file, %s in a task", other, argument)
          .isEqualTo(same);
    }
  }

  @Test
  void oneConditionOfAnyRuleIsEnough() {
    String rules =
        "{name: t, select_arg: {0: 1, 1: 2}, select_kwarg: {k: 3}}, {name: t, select_arg: {0: 4}}";
    assertThat(isSelected(rules, args("", hex("01")))).isTrue();
    assertThat(isSelected(rules, args("", hex("04")))).isTrue();
    assertThat(isSelected(rules, args("09", hex("02")))).isTrue();
    assertThat(isSelected(rules, kwargs("k", hex("03")))).isTrue();
    assertThat(isSelected(rules, kwargs("k", hex("01")))).isFalse();
    assertThat(isSelected(rules, args("", hex("02")))).isFalse();
    assertThat(isSelected(rules, args("", hex("03")))).isFalse();
    assertThat(isSelected(rules, hex("80"))).isFalse();
    assertThat(isSelected("{name: t}", args("", hex("01")))).isFalse();
    assertThat(isSelected("{name: other, select_arg: {0: 1}}", args("", hex("01")))).isFalse();
  }

  @Test
  void binaryDataAmongTheArgumentsDoesNoHarm() {
    assertThat(isSelected("{name: t, select_arg: {1: 1}}", args("c403010203", hex("01")))).isTrue();
    assertThat(isSelected("{name: t, select_arg: {1: 1}}", args("c7030a010203", hex("01"))))
        .isTrue();
    assertThat(isSelected("{name: t, select_arg: {0: [1]}}", args("", hex("92c4010101"))))
        .isFalse();
    assertThat(isSelected("{name: t, select_arg: {0: abc}}", args("", hex("c403616263"))))
        .isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", // nothing
        "c1", // no format
        "01", // no map
        "81a461726773", // no value
        "81a4617267739301", // too few values
        "82a46172677391" + "01" + "a66b776172677381" + "0101", // a number as key
        "82a46172677391" + "01" + "a66b7761726773c0", // null instead of keyword arguments
        "82a46172677391" + "01" + "a6", // broken after the matching value
        "82a46172677391" + "01" + "a178df40000000", // announces more than an int can count
        "81a461726773ddffffffff01", // announces the maximum
        "81a461726773dbffffffff01", // announces text that is too long
      })
  void undecodableParametersAreKept(String parameters) {
    assertThat(isSelected("{name: t, select_arg: {0: 1}, select_kwarg: {k: 1}}", hex(parameters)))
        .isFalse();
  }

  @Test
  void anUndecodableActivationIsKept() {
    RuleSet rules = rules("[{name: t, select_arg: {0: 1}}]", "[]", "");
    assertThat(rules.judge(activation("t", "ns", new byte[] {-1}))).isEqualTo(KEPT);
  }

  @Test
  void compressedParametersAreExpanded() {
    byte[] parameters = args("c4" + "ff" + "00".repeat(255), hex("01"));
    byte[] compressed = Zstd.compress(parameters);
    assertThat(isSelectedZstd(compressed)).isTrue();
    assertThat(isSelectedZstd(parameters)).isFalse();
    assertThat(isSelectedZstd(Arrays.copyOf(compressed, compressed.length / 2))).isFalse();
    assertThat(isSelected("{name: t, select_arg: {1: 1}}", compressed)).isFalse();
  }

  @Test
  void g7WhatExpandsToMoreThanTheBoundIsKept() {
    byte[] fits = Zstd.compress(args(large(Arguments.MAX_BYTES - 100), hex("01")));
    byte[] large = Zstd.compress(args(large(Arguments.MAX_BYTES), hex("01")));
    assertThat(isSelectedZstd(fits)).isTrue();
    assertThat(isSelectedZstd(large)).isFalse();
  }

  @Test
  void g7DeeplyNestedArgumentsAreKept() {
    byte[] deep = new byte[1_000_000];
    Arrays.fill(deep, 0, deep.length - 1, (byte) 0x91);
    deep[deep.length - 1] = 1;
    assertThat(isSelected("{name: t, select_arg: {0: 1, 1: 1}}", args("", deep))).isFalse();
    assertThat(isSelected("{name: t, select_arg: {0: 1, 1: 1}}", append(args2(), deep, hex("01"))))
        .isTrue();
  }

  @Test
  void randomValuesAreEqualToThemselvesOnly() throws IOException {
    long seed = 20_250_101;
    var random = new SplittableRandom(seed);
    for (int i = 0; i < 3_000; i++) {
      Literal one = literal(random, 3);
      Literal other = random.nextInt(4) == 0 ? one : literal(random, 3);
      byte[] parameters;
      try (MessageBufferPacker out = MessagePack.newDefaultBufferPacker()) {
        pack(out, other);
        parameters = args("", out.toByteArray());
      }
      var rules =
          new RuleSet(
              new RuntimeConfig(
                  List.of(new Killswitch("t", false, Map.of(0, one), Map.of())),
                  Set.of(),
                  Optional.empty(),
                  Optional.empty()),
              CONTEXT);
      assertThat(rules.judge(task("t", "ns", parameters)))
          .as("seed %d, %d: %s and %s", seed, i, one, other)
          .isEqualTo(one.equals(other) ? BY_SELECTOR : KEPT);
      int cut = random.nextInt(parameters.length - 8);
      assertThat(rules.judge(task("t", "ns", Arrays.copyOf(parameters, cut))))
          .as("seed %d, %d: cut to %d bytes", seed, i, cut)
          .isEqualTo(KEPT);
    }
  }

  @Test
  void randomBytesThrowNothing() {
    var random = new Random(7);
    RuleSet rules = rules("[{name: t, select_arg: {0: [1]}, select_kwarg: {k: {a: 1}}}]", "[]", "");
    byte[] valid = args("", hex("81a161910181a1610102"));
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = valid.clone();
      for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      assertThat(rules.judge(task("t", "ns", bytes))).isNotNull();
    }
  }

  @Test
  void demotionHasItsDefaults() {
    RuleSet rules = rules("[bad]", "[slow, null]", "");
    var demoted = new Decision.Demoted(new Destination("long", "dead:9092", Map.of()));
    assertThat(rules.judge(task("t", "slow", new byte[0]))).isEqualTo(demoted);
    assertThat(rules.judge(task("t", "", new byte[0]))).isEqualTo(demoted);
    assertThat(rules.judge(task("t", "fast", new byte[0]))).isEqualTo(KEPT);
    assertThat(rules.judge(task("bad", "slow", new byte[0]))).isEqualTo(BY_NAME);
    RuleSet own = rules("[]", "[slow]", "demoted_topic: t\ndemoted_topic_cluster: far:1\n");
    assertThat(own.judge(task("t", "slow", new byte[0])))
        .isEqualTo(new Decision.Demoted(new Destination("t", "far:1", Map.of())));
  }

  @ParameterizedTest
  @CsvSource({
    "tasks, main:9092, true",
    "tasks, 'x:1, main', true",
    "tasks, b:9092, true",
    "tasks, other:9092, false",
    "tasks, main:9093, false",
    "long, main:9092, false"
  })
  void w49TopicOfOursIsKnownByNameAndCluster(String topic, String cluster, boolean ours) {
    RuleSet rules =
        rules(
            "[]",
            "[slow]",
            "demoted_topic: %s\ndemoted_topic_cluster: %s".formatted(topic, cluster));
    assertThat(rules.wouldComeBack()).isEqualTo(ours);
    Decision verdict = rules.judge(task("t", "slow", new byte[0]));
    assertThat(verdict.equals(Decision.Kept.WOULD_COME_BACK)).isEqualTo(ours);
  }

  private static boolean isSelected(String killswitches, byte[] parameters) {
    RuleSet rules = rules("[" + killswitches + "]", "[]", "");
    return rules.judge(task("t", "ns", parameters)).equals(BY_SELECTOR);
  }

  private static boolean isSelectedZstd(byte[] parameters) {
    RuleSet rules = rules("[{name: t, select_arg: {1: 1}}]", "[]", "");
    byte[] payload =
        TaskActivation.newBuilder()
            .putHeaders("compression-type", "zstd")
            .setParametersBytes(ByteString.copyFrom(parameters))
            .build()
            .toByteArray();
    return rules.judge(activation("t", "ns", payload)).equals(BY_SELECTOR);
  }

  private static RuleSet rules(String killswitches, String namespaces, String more) {
    String text =
        "drop_task_killswitch: %s\ndemoted_namespaces: %s\n%s"
            .formatted(killswitches, namespaces, more);
    return new RuleSet(
        RuntimeConfig.parse(Path.of("rules"), text.getBytes(UTF_8), _ -> {}), CONTEXT);
  }

  static Activation task(String taskname, String namespace, byte[] parameters) {
    byte[] payload =
        TaskActivation.newBuilder()
            .setId("id")
            .setTaskname(taskname)
            .setNamespace(namespace)
            .setParametersBytes(ByteString.copyFrom(parameters))
            .build()
            .toByteArray();
    return activation(taskname, namespace, payload);
  }

  private static Activation activation(String taskname, String namespace, byte[] payload) {
    return new Activation(
        "id",
        "app",
        namespace,
        taskname,
        payload,
        new Origin("tasks", 0, 0),
        0,
        Activation.NEVER,
        0,
        10,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  /// `{"args": [before, last], "kwargs": {}}`; an empty `before` is left out.
  private static byte[] args(String before, byte[] last) {
    return args(hex(before), last);
  }

  private static byte[] args(byte[] before, byte[] last) {
    byte[] start = hex("82a461726773" + (before.length == 0 ? "91" : "92"));
    return append(start, before, last, hex("a66b776172677380"));
  }

  private static byte[] args2() {
    return hex("81a46172677392");
  }

  /// `{"more": [], "args": [], "kwargs": {"other": 0, key: value}}`
  private static byte[] kwargs(String key, byte[] value) {
    byte[] start = hex("83a46d6f726590a46172677390a66b776172677382a56f7468657200");
    byte[] name = key.getBytes(UTF_8);
    return append(start, new byte[] {(byte) (0xa0 + name.length)}, name, value);
  }

  /// Binary data of that size, as MessagePack.
  private static byte[] large(int size) {
    byte[] large = new byte[size + 5];
    large[0] = (byte) 0xc6;
    ByteBuffer.wrap(large).putInt(1, size);
    return large;
  }

  private static byte[] append(byte[]... parts) {
    int length = Stream.of(parts).mapToInt(part -> part.length).sum();
    var all = ByteBuffer.allocate(length);
    for (byte[] part : parts) {
      all.put(part);
    }
    return all.array();
  }

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }

  private static Literal literal(SplittableRandom random, int depth) {
    return switch (random.nextInt(depth > 0 ? 8 : 6)) {
      case 0 -> Literal.Nil.NIL;
      case 1 -> new Literal.Bool(random.nextBoolean());
      case 2 -> new Literal.Whole(BigInteger.valueOf(random.nextInt(-3, 3)));
      case 3 -> new Literal.Whole(BigInteger.valueOf(random.nextLong()));
      case 4 -> new Literal.Real(random.nextInt(-3, 3));
      case 5 -> new Literal.Text("x".repeat(random.nextInt(3)) + random.nextInt(3));
      case 6 ->
          new Literal.Items(
              IntStream.range(0, random.nextInt(4))
                  .mapToObj(_ -> literal(random, depth - 1))
                  .toList());
      default -> {
        var fields = new HashMap<String, Literal>();
        for (int i = random.nextInt(4); i > 0; i--) {
          fields.put("k" + random.nextInt(5), literal(random, depth - 1));
        }
        yield new Literal.Fields(fields);
      }
    };
  }

  private static void pack(MessageBufferPacker out, Literal literal) throws IOException {
    switch (literal) {
      case Literal.Nil _ -> out.packNil();
      case Literal.Bool(boolean value) -> out.packBoolean(value);
      case Literal.Whole(BigInteger value) -> out.packBigInteger(value);
      case Literal.Real(double value) -> out.packDouble(value);
      case Literal.Text(String value) -> out.packString(value);
      case Literal.Items(List<Literal> values) -> {
        out.packArrayHeader(values.size());
        for (Literal value : values) {
          pack(out, value);
        }
      }
      case Literal.Fields(Map<String, Literal> values) -> {
        out.packMapHeader(values.size());
        for (Map.Entry<String, Literal> value : values.entrySet()) {
          out.packString(value.getKey());
          pack(out, value.getValue());
        }
      }
    }
  }
}
