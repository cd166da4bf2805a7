package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Who knows only that "import" does nothing finds the cause within three clicks from the overview.
@Timeout(60)
@ExtendWith(SharedShop.class)
final class StuckApplicationTest {
  @Test
  void theCauseIsThreeClicksAway(Shop shop, Chromium chromium) {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/");
      visit.awaitText("Its workers do not answer or reject calls");

      visit.link("import").first().click();
      visit.awaitText("Why its tasks wait");
      assertThat(visit.text())
          .contains("workers fail", "The workers of its application are unreachable");

      visit.page().locator("main section").first().locator("a").first().click();
      visit.page().waitForURL("**waiting=WORKER_PAUSED");
      visit.settled();

      visit.page().locator("a.id").first().click();
      visit.awaitText("Why it does not run");
      assertThat(visit.text()).contains("see the broker's log and the workers");
    }
  }
}
