package io.taskbroker.web;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A user's visit of the page: a tab with cookies of its own. Errors on the console, violations of
/// the content security policy among them, and requests to other servers fail the test when the
/// visit ends. One thread.
final class Visit implements AutoCloseable {
  private static final String AXE = axe();
  private static final double PATIENCE_MS = 60_000;

  private final BrowserContext context;
  private final Page page;
  private final String url;
  private final List<String> problems = new ArrayList<>();
  private final List<String> expected = new ArrayList<>();

  private Visit(BrowserContext context, String url) {
    this.context = context;
    this.url = url;
    page = context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.onConsoleMessage(message -> {
      if (message.type().equals("error") || message.type().equals("warning")) {
        problems.add(message.text() + " at " + message.location());
      }
    });
    page.onPageError(error -> problems.add("uncaught: " + error));
    page.onRequest(request -> {
      if (!request.url().startsWith(url)) {
        problems.add("request to another server: " + request.url());
      }
    });
  }

  /// @param url of the broker's admin API, without a slash at its end
  static Visit to(Chromium chromium, String url, int width, int height, ColorScheme colours) {
    BrowserContext context =
        chromium
            .browser()
            .newContext(
                new Browser.NewContextOptions()
                    .setViewportSize(width, height)
                    .setColorScheme(colours)
                    .setTimezoneId("Europe/Vienna")
                    .setLocale("en-GB"));
    return new Visit(context, url);
  }

  static Visit to(Chromium chromium, String url) {
    return to(chromium, url, 1_100, 760, ColorScheme.LIGHT);
  }

  Page page() {
    return page;
  }

  /// Opens a path by its address, and waits for its content.
  Visit open(String path) {
    page.navigate(url + path);
    return settled();
  }

  /// Waits until the page has its content.
  Visit settled() {
    page.waitForFunction(
        "() => document.querySelector('main h1') && !document.querySelector('main .busy')");
    return this;
  }

  Locator link(String name) {
    return page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName(name).setExact(true));
  }

  Locator button(String name) {
    return page.getByRole(
        AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
  }

  Locator dialog() {
    return page.getByRole(AriaRole.DIALOG);
  }

  String text() {
    return page.locator("main").innerText();
  }

  /// Waits for a text within the page's content.
  void awaitText(String text) {
    page.locator("main").getByText(text).first().waitFor();
  }

  /// Gives the reason, confirms an act in the dialog, and waits until it is done.
  String confirm(String action, String reason) {
    dialog().getByLabel("Reason").fill(reason);
    dialog()
        .getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName(action).setExact(true))
        .click();
    Locator close =
        dialog()
            .getByRole(
                AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Close").setExact(true));
    close.waitFor();
    String text = dialog().innerText();
    close.click();
    return text;
  }

  /// Violations of WCAG 2.2 AA that axe finds.
  @SuppressWarnings("unchecked")
  List<String> violations() {
    page.evaluate(AXE);
    return (List<String>)
        page.evaluate(
            """
            async () => {
              const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
              const result = await axe.run(document, { runOnly: tags });
              return result.violations.map((it) =>
                it.id + ': ' + it.help + ' ' + it.nodes.map((node) => node.html).join(' | '));
            }
            """);
  }

  /// Allows an error on the console that contains a text, such as the status of a refused sign-in.
  Visit expecting(String text) {
    expected.add(text);
    return this;
  }

  @Override
  public void close() {
    List<String> unexpected =
        problems.stream().filter(it -> expected.stream().noneMatch(it::contains)).toList();
    context.close();
    assertThat(unexpected).as("console of the browser").isEmpty();
  }

  private static String axe() {
    try (InputStream in =
        Optional.ofNullable(Visit.class.getResourceAsStream("/axe.min.js")).orElseThrow()) {
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
