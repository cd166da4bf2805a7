package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// The first load is small, the second asks for no file again, and figures change by themselves.
@Timeout(240)
@ExtendWith(SharedShop.class)
final class FirstLoadTest {
  private static final int MOST_BYTES = 200_000;
  private static final int MOST_REQUESTS = 16;

  @Test
  void theFirstLoadIsSmallAndFilesAreKept(Shop shop, Chromium chromium) {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      List<String> requests = new ArrayList<>();
      visit.page().onRequest(request -> requests.add(request.url()));
      visit.open("/ui/");
      @SuppressWarnings("unchecked")
      var sizes =
          (Map<String, Object>)
              visit
                  .page()
                  .evaluate(
                      """
                      () => Object.fromEntries(
                        [...performance.getEntriesByType('navigation'),
                         ...performance.getEntriesByType('resource')]
                          .filter((it) => !it.name.endsWith('/events'))
                          .map((it) => [it.name, it.encodedBodySize]))
                      """);
      int bytes = sizes.values().stream().mapToInt(it -> ((Number) it).intValue()).sum();
      System.out.printf("First load: %d requests, %d bytes%n", requests.size(), bytes);
      assertThat(bytes).isPositive().isLessThan(MOST_BYTES);
      assertThat(requests).hasSizeLessThanOrEqualTo(MOST_REQUESTS);

      visit.open("/ui/");
      Object asked =
          visit
              .page()
              .evaluate(
                  """
                  () => performance.getEntriesByType('resource')
                    .filter((it) => it.name.includes('/assets/') && it.transferSize > 0)
                    .map((it) => it.name)
                  """);
      assertThat(asked).as("files that are asked for again").isEqualTo(List.of());
    }
  }

  @Test
  void figuresChangeByThemselves(Shop shop, Chromium chromium) throws Exception {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/");
      visit.awaitText("Needs attention");
      assertThat(visit.page().locator("main").innerText()).doesNotContain("arrives-later");
      String _ = shop.delayedTask("arrives-later");
      visit.awaitText("arrives-later");
      assertThat(visit.page().locator("#live").innerText()).contains("Live");
    }
  }
}
