package io.taskbroker.web;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.options.Cookie;
import com.microsoft.playwright.options.SameSiteAttribute;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Sign-in by token, roles, and the read-only mode, as a user sees them.
@Timeout(240)
@ExtendWith(SharedShop.class)
final class SignInTest {
  /// Signs in at the page, which is opened for that.
  static void signIn(Visit visit) {
    visit.open("/ui/");
    visit.page().getByLabel("Token").fill(Shop.TOKEN);
    visit.button("Sign in").click();
    visit.awaitText("Needs attention");
  }

  @Test
  void aTokenIsExchangedForAHardenedCookie(Chromium chromium) throws Exception {
    try (Shop.Guarded guarded = Shop.guarded("admin", "");
        Visit visit = Visit.to(chromium, guarded.url())) {
      visit.expecting("401").open("/ui/");
      assertThat(visit.violations()).isEmpty();
      visit.page().getByLabel("Token").fill("wrong-wrong-wrong-wrong");
      visit.button("Sign in").click();
      visit.awaitText("The broker does not know this token.");

      signIn(visit);
      Cookie cookie = visit.page().context().cookies().getFirst();
      assertThat(cookie.httpOnly).isTrue();
      assertThat(cookie.sameSite).isEqualTo(SameSiteAttribute.STRICT);
      assertThat(cookie.value).doesNotContain(Shop.TOKEN);
      assertThat(visit.page().locator("nav").innerText()).contains("ann (admin)");

      visit.link("Rules and pauses").click();
      visit.page().getByLabel("Application").fill("shop");
      visit.button("Pause tasks").click();
      assertThat(visit.confirm("Pause", "for the test"))
          .contains("In the audit log", "ann", "for the test");
      visit.button("Resume").waitFor();

      visit.button("Sign out").click();
      visit.button("Sign in").waitFor();
      assertThat(visit.page().context().cookies()).isEmpty();
    }
  }

  @Test
  void aReaderIsOfferedNoActs(Chromium chromium) throws Exception {
    try (Shop.Guarded guarded = Shop.guarded("read", "");
        Visit visit = Visit.to(chromium, guarded.url())) {
      signIn(visit);
      visit.open("/ui/rules");
      visit.awaitText("Nothing is paused.");
      assertThat(visit.button("Pause tasks").count()).isZero();
      visit.open("/ui/schedules");
      visit.awaitText("There is no schedule.");
      assertThat(visit.link("Create a schedule").count()).isZero();
      visit.open("/ui/schedule-editor");
      visit.awaitText("Your role may not change schedules.");
    }
  }

  @Test
  void readOnlyModeOffersNobodyActs(Chromium chromium) throws Exception {
    try (Shop.Guarded guarded = Shop.guarded("admin", ", read_only: true");
        Visit visit = Visit.to(chromium, guarded.url())) {
      signIn(visit);
      assertThat(visit.page().locator("nav").innerText()).contains("Read-only");
      visit.open("/ui/rules");
      visit.awaitText("Nothing is paused.");
      assertThat(visit.button("Pause tasks").count()).isZero();
    }
  }
}
