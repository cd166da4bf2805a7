"""Another application, which publishes tasks of the first."""

from conformance.app import app, new_app

front = new_app("front")


@front.create_external_namespace("work", application=app.name).register(name="echo")
def echo(*args, **kwargs):
    pass
