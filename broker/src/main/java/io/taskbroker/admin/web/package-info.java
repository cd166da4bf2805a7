/// Web page of the admin API (docs/web.md): its files, sessions of browsers, and the stream of live
/// figures. It knows the API by [io.taskbroker.admin.web.PageAccess] only.
@NullMarked
package io.taskbroker.admin.web;

import org.jspecify.annotations.NullMarked;
