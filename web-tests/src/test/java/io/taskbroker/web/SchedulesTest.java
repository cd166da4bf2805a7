package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Schedules by the page: paused, resumed and run now.
@Timeout(60)
@ExtendWith(SharedShop.class)
final class SchedulesTest {
  @Test
  void aScheduleIsPausedResumedAndRun(Shop shop, Chromium chromium) throws Exception {
    shop.schedule("weekly");
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/schedules");
      visit.link("weekly").click();
      visit.awaitText("Next times");
      visit.button("Pause").click();
      visit.dialog().getByText("It acts on the schedule weekly").waitFor();
      assertThat(visit.violations()).isEmpty();
      assertThat(visit.confirm("Pause", "holidays")).contains("Done.");
      visit.awaitText("paused");
      visit.button("Resume").click();
      assertThat(visit.confirm("Resume", "back")).contains("Done.");
      visit.button("Run now").click();
      String done = visit.confirm("Run now", "an extra report");
      assertThat(done).contains("Done: enqueued as ");
      String id = done.replaceAll("(?s).*enqueued as (\\S+?)\\.\\s.*", "$1");
      assertThat(shop.status("/v1/tasks/" + id.replace(":", "%3A"))).isEqualTo(200);
    }
  }
}
