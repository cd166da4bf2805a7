package io.taskbroker.web;

import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Who knows only that "import" does nothing finds the cause within three clicks from the overview.
@Timeout(240)
@ExtendWith(SharedShop.class)
final class StuckApplicationTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void theCauseIsThreeClicksAway(Shop shop, Chromium chromium) {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/");
      visit.awaitText("Its workers do not answer or reject calls");

      visit.link("import").first().click();
      visit.awaitText("Why its tasks wait");
      // For the moment of a call that tries them again, the reason is another.
      Locator paused =
          visit.page().locator("main section a[href*='waiting=WORKER_PAUSED']").first();
      reloadUntil(
          visit,
          () ->
              paused.isVisible()
                  && visit.text().contains("The workers of its application are unreachable"));

      paused.click();
      visit.page().waitForURL("**waiting=WORKER_PAUSED");
      visit.settled();

      visit.page().locator("a.id").first().click();
      visit.awaitText("Why it does not run");
      reloadUntil(visit, () -> visit.text().contains("see the broker's log and the workers"));
    }
  }

  private static void reloadUntil(Visit visit, BooleanSupplier shown) {
    await()
        .atMost(PATIENCE)
        .until(() -> {
          if (shown.getAsBoolean()) {
            return true;
          }
          visit.page().reload();
          visit.settled();
          return false;
        });
  }
}
