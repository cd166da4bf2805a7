package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Number of pages of parked rows that are read at a time, and their order (G7, G8).
final class ParkedLoaderTest {
  private static final long DUE = 10_000;
  private static final int APPLICATIONS = 20;

  @Test
  void g7ConcurrentPagesTakeAQuarterOfTheMemory() {
    EngineRig rig = rigWithRoomFor(3);
    RigPartition partition = rig.assigned("tasks");
    for (int i = 0; i < APPLICATIONS; i++) {
      partition.send(task("a" + i, "x", rig.wall + DUE));
    }
    rig.commits = false;
    rig.pass(DUE);
    assertThat(rig.store.reads).isEqualTo(3);
    rig.commit(1);
    assertThat(rig.store.reads).isEqualTo(6);
    rig.commits = true;
    rig.settle();
    assertThat(rig.store.reads).isEqualTo(APPLICATIONS);
    assertThat(rig.depths().parked()).isZero();
  }

  @Test
  void g7OnePageIsReadHoweverLittleMemoryThereIs() {
    EngineRig rig = rigWithRoomFor(0);
    rig.assigned("tasks").send(task("a", "x", rig.wall + DUE), task("b", "y", rig.wall + DUE));
    rig.commits = false;
    rig.pass(DUE);
    assertThat(rig.store.reads).isEqualTo(1);
    rig.commits = true;
    rig.settle();
    assertThat(rig.depths().parked()).isZero();
  }

  @Test
  void g8LargeBacklogGoesBehindRowsThatBecameDueMeanwhile() {
    EngineRig rig = rigWithRoomFor(1);
    RigPartition partition = rig.assigned("tasks");
    long due = rig.wall + DUE;
    int many = 3 * ParkedBacklog.PAGE;
    partition.send(muchOf(many, due));
    partition.send(task("late", "l", due + 500));
    rig.commits = false;
    rig.pass(DUE + 1_000);
    rig.commit(1); // requested before the late one was due
    rig.commit(1);
    assertThat(rig.depths().parked()).isEqualTo(ParkedBacklog.PAGE + 1);
    rig.commit(1);
    assertThat(rig.depths().parked()).as("rows of the large backlog").isEqualTo(ParkedBacklog.PAGE);
    assertThat(rig.claim("late", null).id()).isEqualTo("latel");
    rig.commits = true;
    rig.settle();
    assertThat(rig.depths().parked()).isZero();
  }

  @Test
  void h21ReadingResumesAtOnceWhenTheClockIsSetBack() {
    EngineRig rig = rigWithRoomFor(1);
    RigPartition partition = rig.assigned("tasks");
    partition.send(muchOf(3 * ParkedBacklog.PAGE, rig.wall + DUE));
    partition.send(task("late", "l", rig.wall + DUE + 100));
    rig.commits = false;
    rig.pass(DUE);
    rig.commit(1);
    rig.commit(1);
    rig.stepClock(-600);
    rig.commits = true;
    rig.settle();
    assertThat(rig.depths().parked()).isZero();
  }

  private static Task[] muchOf(int count, long due) {
    return IntStream.range(0, count).mapToObj(i -> task("much", "m" + i, due)).toArray(Task[]::new);
  }

  /// A rig that may read so many pages at a time, and parks every delay.
  private static EngineRig rigWithRoomFor(int pages) {
    return new EngineRig(
        RigOptions.pull()
            .maxDelayed(0)
            .maxPending(1_000)
            .maxMemoryBytes(4L * pages * ParkedBacklog.PAGE_BYTES + 100_000));
  }

  private static Task task(String application, String id, long due) {
    return Task.of(application + id).application(application).delayUntil(due);
  }
}
