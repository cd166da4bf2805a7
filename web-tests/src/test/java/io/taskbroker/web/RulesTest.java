package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Rules by the page: a dry run with a diff and what it touches, versions, and the audit log.
@Timeout(240)
@ExtendWith(SharedShop.class)
final class RulesTest {
  @Test
  void rulesAreSetAndRolledBack(Shop shop, Chromium chromium) throws Exception {
    try (Visit visit = Visit.to(chromium, shop.url())) {
      visit.open("/ui/rules");
      visit
          .page()
          .locator("textarea")
          .fill("drop_task_killswitch: []\ndemoted_namespaces: [nobody]\n");
      visit.button("Set rules").click();
      visit.dialog().getByText("What changes").waitFor();
      assertThat(visit.dialog().innerText()).contains("nobody", "0 are removed");
      assertThat(visit.violations()).isEmpty();
      assertThat(visit.confirm("Set rules", "slow database")).contains("is in force");
      visit.awaitText("slow database");

      visit.page().locator("textarea").fill("drop_task_killswitch: []\ndemoted_namespaces: []\n");
      visit.button("Set rules").click();
      assertThat(visit.confirm("Set rules", "database is fast")).contains("is in force");
      visit.button("Return to it").first().click();
      visit.dialog().getByText("What changes").waitFor();
      assertThat(visit.violations()).isEmpty();
      visit.page().keyboard().press("Escape");

      visit.link("Audit log").click();
      visit.awaitText("slow database");
      visit.page().getByText("Show").first().click();
      assertThat(visit.violations()).isEmpty();
    }
  }
}
