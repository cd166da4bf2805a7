package io.taskbroker.examples.comparison;

import com.github.kagkarlsson.scheduler.SchedulerClient;
import com.github.kagkarlsson.scheduler.task.FailureHandler.ExponentialBackoffFailureHandler;
import com.github.kagkarlsson.scheduler.task.FailureHandler.MaxRetriesFailureHandler;
import com.github.kagkarlsson.scheduler.task.helper.OneTimeTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import java.time.Duration;
import java.time.Instant;

final class WithDbScheduler {
  static final OneTimeTask<Receipt> SEND_RECEIPT =
      Tasks.oneTime("send-receipt", Receipt.class)
          .onFailure(
              new MaxRetriesFailureHandler<>(
                  5, new ExponentialBackoffFailureHandler<>(Duration.ofSeconds(2))))
          .execute((instance, context) -> instance.getData().send());

  static void enqueue(SchedulerClient scheduler, Receipt receipt) {
    scheduler.scheduleIfNotExists(SEND_RECEIPT.instance(receipt.order(), receipt), Instant.now());
  }

  private WithDbScheduler() {}
}
