"""`python -m image_check` runs each check and prints its name. The first one that fails ends it with its error."""

from image_check.loading import import_modules, open_libraries
from image_check.serving import serve
from image_check.working import ask_kubernetes, draw_pictures, keep_in_store, materialize, reach_s3, train_models

for check in (
    import_modules,
    open_libraries,
    train_models,
    draw_pictures,
    keep_in_store,
    reach_s3,
    ask_kubernetes,
    materialize,
    serve,
):
    print(check.__name__, flush=True)
    check()
