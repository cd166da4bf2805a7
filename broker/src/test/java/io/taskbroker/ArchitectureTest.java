package io.taskbroker;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Layers of the broker, and rules for all of its classes.
final class ArchitectureTest {
  private static final Path TEST_CLASSES = testClasses();
  private static final JavaClasses TESTS = new ClassFileImporter().importPath(TEST_CLASSES);
  private static final JavaClasses MAIN =
      new ClassFileImporter().importPath(TEST_CLASSES.resolveSibling("classes"));

  @Test
  void activationDependsOnNothing() {
    holds(
        classes()
            .that()
            .resideInAPackage("io.taskbroker.activation..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                "io.taskbroker.activation..",
                "io.taskbroker.proto..",
                "io.taskbroker.protocol..",
                "com.google.protobuf..",
                "java..",
                "org.jspecify.."));
  }

  @Test
  void inflightDependsOnActivationOnly() {
    holds(
        classes()
            .that()
            .resideInAPackage("io.taskbroker.inflight..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                "io.taskbroker.inflight..",
                "io.taskbroker.activation..",
                "java..",
                "org.jspecify.."));
  }

  @Test
  void protocolOfTheEngineKnowsNothingOfItsState() {
    holds(
        classes()
            .that()
            .resideInAPackage("io.taskbroker.inflight.api")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                "io.taskbroker.inflight.api",
                "io.taskbroker.activation..",
                "java..",
                "org.jspecify.."));
  }

  @Test
  void onlyTheLoopSeesTheEngine() {
    holds(
        noClasses()
            .that()
            .resideOutsideOfPackages("io.taskbroker.inflight..", "io.taskbroker.engine..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.taskbroker.inflight"));
  }

  @Test
  void inflightDoesNoInputOrOutput() {
    holds(
        noClasses()
            .that()
            .resideInAPackage("io.taskbroker.inflight..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "java.sql..", "java.net..", "java.nio.file..", "io.grpc..", "org.apache.kafka.."));
  }

  @Test
  void inflightHasNeitherClockNorThreads() {
    holds(
        noClasses()
            .that()
            .resideInAPackage("io.taskbroker.inflight..")
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Clock.class, Thread.class)
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis"));
  }

  @Test
  void storeDependsOnActivationAndRuntimeOnly() {
    holds(
        noClasses()
            .that()
            .resideInAPackage("io.taskbroker.store")
            .should()
            .dependOnClassesThat(
                resideInAPackage("io.taskbroker..")
                    .and(
                        not(
                            resideInAnyPackage(
                                "io.taskbroker.store",
                                "io.taskbroker.activation..",
                                "io.taskbroker.runtime..")))));
  }

  @Test
  void onlyStoreSeesTheDatabase() {
    holds(
        noClasses()
            .that()
            .resideOutsideOfPackage("io.taskbroker.store..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "java.sql..",
                "javax.sql..",
                "org.sqlite..",
                "org.postgresql..",
                "com.zaxxer.hikari..",
                "org.flywaydb.."));
  }

  @Test
  void onlyIngestOutboxAndTheToolsSeeKafka() {
    holds(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                "io.taskbroker.ingest..",
                "io.taskbroker.outbox..",
                "io.taskbroker.deadletter..",
                "io.taskbroker.audit..",
                "io.taskbroker.shadow..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.apache.kafka.."));
  }

  @Test
  void onlyRulesDeadLettersAndPayloadDecodeParameters() {
    holds(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                "io.taskbroker.rules..", "io.taskbroker.deadletter..", "io.taskbroker.payload..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.msgpack.."));
  }

  @Test
  void onlyGrpcDeliverAndTracingSeeGrpc() {
    holds(
        noClasses()
            .that()
            .resideOutsideOfPackages(
                "io.taskbroker.grpc..", "io.taskbroker.deliver..", "io.taskbroker.tracing..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.grpc.."));
  }

  @Test
  void onlyTracingSeesOpenTelemetry() {
    holds(
        noClasses()
            .that()
            .resideOutsideOfPackage("io.taskbroker.tracing..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.opentelemetry.."));
  }

  @Test
  void onlySchedulesSeeCron() {
    holds(
        noClasses()
            .that()
            .resideOutsideOfPackage("io.taskbroker.schedule..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.cronutils.."));
  }

  @Test
  void onlyAdminSeesJetty() {
    holds(
        noClasses()
            .that()
            .resideOutsideOfPackage("io.taskbroker.admin..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.eclipse.jetty.."));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ingest", "deliver", "grpc", "outbox"})
  void stagesDoNotKnowEachOther(String stage) {
    String[] others =
        Stream.of("ingest", "deliver", "grpc", "outbox")
            .filter(other -> !other.equals(stage))
            .map(other -> "io.taskbroker." + other + "..")
            .toArray(String[]::new);
    holds(
        noClasses()
            .that()
            .resideInAPackage("io.taskbroker." + stage + "..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(others));
  }

  @Test
  void packagesFormNoCycles() {
    holds(slices().matching("io.taskbroker.(*)..").should().beFreeOfCycles());
  }

  @ParameterizedTest
  @ValueSource(strings = {"Impl", "Manager", "Helper", "Utils"})
  void classNamesHaveNoVagueSuffix(String suffix) {
    ArchRule rule = noClasses().should().haveSimpleNameEndingWith(suffix).allowEmptyShould(true);
    rule.check(MAIN);
    rule.check(TESTS);
  }

  @Test
  void noTestIsDisabled() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .haveNameMatching("org\\.junit\\.jupiter\\.api\\.(condition\\.)?(Disabled|Enabled).*")
        .orShould()
        .dependOnClassesThat()
        .haveSimpleName("Assumptions")
        .check(TESTS);
  }

  @Test
  void noTestSleeps() {
    noClasses()
        .should()
        .callMethodWhere(
            target(owner(JavaClass.Predicates.type(Thread.class))).and(target(name("sleep"))))
        .check(TESTS);
  }

  private static void holds(ArchRule rule) {
    rule.allowEmptyShould(true).check(MAIN);
  }

  private static Path testClasses() {
    try {
      return Path.of(
          ArchitectureTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
