/* The page that `treeshot serve` and `treeshot desktop` show. */
import { httpClient } from "./http-client.js"
import { openSession } from "./model/session.js"
import { showPage } from "./show-page.js"

const { client, connection } = httpClient(new URL("./address", location.href))
showPage(openSession(client, connection))
