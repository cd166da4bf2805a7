package io.taskbroker.examples.spring;

import java.time.Clock;
import java.time.ZoneId;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.scheduling.annotation.EnableScheduling;

/// Needs a broker, such as `taskbroker dev`.
@SpringBootApplication
@EnableScheduling
public class ShopApplication {
  public static void main(String[] args) {
    SpringApplication.run(ShopApplication.class, args);
  }

  @Bean
  Clock clock() {
    return Clock.system(ZoneId.systemDefault());
  }
}
