package io.taskbroker.examples.comparison;

import org.jobrunr.jobs.annotations.Job;
import org.jobrunr.scheduling.JobScheduler;

final class WithJobRunr {
  static class Receipts {
    @Job(name = "Receipt", retries = 5)
    public void send(Receipt receipt) {
      receipt.send();
    }
  }

  static void enqueue(JobScheduler scheduler, Receipt receipt) {
    scheduler.<Receipts>enqueue(receipts -> receipts.send(receipt));
  }

  private WithJobRunr() {}
}
