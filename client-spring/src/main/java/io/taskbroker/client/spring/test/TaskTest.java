package io.taskbroker.client.spring.test;

import io.taskbroker.client.spring.HandlesTask;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.autoconfigure.OverrideAutoConfiguration;
import org.springframework.boot.test.context.filter.annotation.TypeExcludeFilters;
import org.springframework.context.annotation.ComponentScan.Filter;
import org.springframework.test.context.BootstrapWith;
import org.springframework.test.context.junit.jupiter.SpringExtension;

/// Test slice of tasks: only components with [HandlesTask] methods, and an
/// [io.taskbroker.client.testing.InlineBroker] that runs them. The test provides their other
/// dependencies, such as by `@MockitoBean` or `@Import`.
///
/// ```java
/// @TaskTest(Receipts.class)
/// class ReceiptsTest {
///   @Autowired InlineBroker broker;
///   @MockitoBean Mailer mailer;
/// }
/// ```
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@BootstrapWith(TaskTestContextBootstrapper.class)
@ExtendWith(SpringExtension.class)
@OverrideAutoConfiguration(enabled = false)
@TypeExcludeFilters(TaskTypeExcludeFilter.class)
@AutoConfigureInlineBroker
public @interface TaskTest {
  /// Which components with [HandlesTask] methods to include; all if empty.
  Class<?>[] value() default {};

  /// Properties as `key=value`, for this test.
  String[] properties() default {};

  /// Whether components with [HandlesTask] methods are included.
  boolean useDefaultFilters() default true;

  /// Further components to include.
  Filter[] includeFilters() default {};

  /// Components to leave out.
  Filter[] excludeFilters() default {};
}
