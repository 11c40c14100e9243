"""The stages of a build, as objects. ``pipelines/build.py`` lists them in order; the work itself is done in the other folders."""
