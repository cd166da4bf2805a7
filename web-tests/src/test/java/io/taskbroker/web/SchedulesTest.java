package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Schedules by the page: created, changed, deleted, paused, resumed and run now.
@Timeout(240)
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

  @Test
  void aScheduleIsCreatedChangedAndDeleted(Shop shop, Chromium chromium) throws Exception {
    try (Visit visit = Visit.to(chromium, shop.url()).expecting("400").expecting("404")) {
      visit.open("/ui/schedules");
      visit.link("Create a schedule").click();
      visit.awaitText("Give a cron expression or an interval");
      visit.page().getByLabel("Name", exactly()).fill("hourly");
      visit.page().getByLabel("Cron expression").fill("61 * * * *");
      visit.awaitText("cron.expression");
      visit.page().getByLabel("Cron expression").fill("0 * * * *");
      visit.awaitText("Next times");
      visit.page().getByLabel("Task", exactly()).fill("sweep");
      visit.page().getByLabel("Application").fill("reports");
      visit.page().getByLabel("Arguments").fill("{\"args\": [1234567890123456789]}");
      visit.button("Check and save").click();
      visit.awaitText("is larger than a browser keeps exactly");
      visit.page().getByLabel("Arguments").fill("{\"args\": [], \"api_key\": \"secret\"}");
      visit.button("Check and save").click();
      visit.dialog().getByText("It creates this schedule.").waitFor();
      assertThat(visit.dialog().innerText()).contains("+ ", "\"cron\": \"0 * * * *\"");
      assertThat(visit.violations()).isEmpty();
      assertThat(visit.confirm("Save", "a sweep each hour"))
          .contains("Done: hourly is saved.", "In the audit log", "a sweep each hour");
      visit.awaitText("Last firings");
      assertThat(visit.page().url()).endsWith("/ui/schedules/hourly");

      visit.link("Change").click();
      visit.awaitText("More settings");
      assertThat(visit.page().getByLabel("Name", exactly()).isEditable()).isFalse();
      visit.page().getByText("More settings").click();
      visit.page().getByLabel("Description").fill("sweeps");
      visit.page().getByLabel("Cron expression").fill("30 * * * *");
      visit.button("Check and save").click();
      visit.dialog().getByText("It replaces the schedule hourly").waitFor();
      assertThat(visit.dialog().locator("del").allInnerTexts()).hasSize(1);
      assertThat(visit.dialog().locator("ins").allInnerTexts()).hasSize(2);
      assertThat(visit.confirm("Save", "at half past")).contains("Done: hourly is saved.");
      visit.awaitText("sweeps");
      String kept = shop.get("/v1/schedules/hourly");
      assertThat(kept).contains("\"cron\":\"30 * * * *\"", "[redacted]").doesNotContain("secret");

      visit.button("Delete").click();
      visit.dialog().getByText("It acts on the schedule hourly").waitFor();
      assertThat(visit.violations()).isEmpty();
      assertThat(visit.confirm("Delete", "no longer needed")).contains("Done: it is deleted.");
      visit.awaitText("nightly");
      assertThat(shop.status("/v1/schedules/hourly")).isEqualTo(404);
    }
  }

  @Test
  void aChangeThatAnotherOneOvertookIsRefused(Shop shop, Chromium chromium) throws Exception {
    shop.schedule("contested");
    try (Visit visit = Visit.to(chromium, shop.url()).expecting("409")) {
      visit.open("/ui/schedule-editor?name=contested");
      visit.page().getByLabel("Cron expression").fill("0 3 * * *");
      shop.schedule("contested", "45 4 * * *");
      visit.button("Check and save").click();
      visit.dialog().getByText("was changed or deleted meanwhile").waitFor();
    }
    assertThat(shop.get("/v1/schedules/contested")).contains("45 4 * * *");
  }

  private static Page.GetByLabelOptions exactly() {
    return new Page.GetByLabelOptions().setExact(true);
  }
}
