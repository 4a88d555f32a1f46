"""An app that the host must refuse, because it has a binding to Cosmos DB."""

import azure.functions as func

app = func.FunctionApp()


@app.route("store", methods=["POST"])
@app.cosmos_db_output("doc", database_name="db", container_name="docs", connection="Cosmos")
def store(req: func.HttpRequest, doc: func.Out[func.Document]) -> str:
    return "stored"
