/// The web page of the admin API in a real browser, against the real process.
@NullMarked
package io.taskbroker.web;

import org.jspecify.annotations.NullMarked;
