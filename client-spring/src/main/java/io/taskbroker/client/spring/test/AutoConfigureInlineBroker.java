package io.taskbroker.client.spring.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;

/// Puts an [io.taskbroker.client.testing.InlineBroker] in place of broker and worker, for a test of
/// the whole application: beside `@SpringBootTest`. The test has it injected, and it forgets its
/// calls after each test method. The relay of the outbox does not run:
/// [io.taskbroker.client.outbox.OutboxRelay#sendAll] does its work.
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ImportAutoConfiguration
public @interface AutoConfigureInlineBroker {}
