"""Tasks that the producer knows and the workers do not."""

from taskbroker_client.retry import LastAction, Retry

from conformance.app import app, work

nowhere = app.create_namespace("nowhere")
dead_letter = Retry(times=1, times_exceeded=LastAction.Deadletter)


@work.register(name="ghost", retry=dead_letter)
def ghost():
    pass


@nowhere.register(name="ghost", retry=dead_letter)
def ghost_of_nowhere():
    pass
