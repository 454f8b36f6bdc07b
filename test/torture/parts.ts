import { concurrency } from "./concurrency.js"
import { damage } from "./damage.js"
import { faults } from "./faults.js"
import { fuzz } from "./fuzz.js"
import { kills } from "./kills.js"
import { locks } from "./locks.js"
import { orders } from "./orders.js"
import type { Part } from "./part.js"

/** All parts, in the order in which they run. */
export const PARTS: readonly Part[] = [kills, concurrency, orders, faults, damage, locks, fuzz]
