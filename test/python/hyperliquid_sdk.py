"""Trades on a Hyperliquid given only its base URL, with the venue's own SDK; prints one JSON line of what it saw."""
import json
import sys
import threading
import time
import urllib.request

from eth_account import Account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from hyperliquid.utils.types import Cloid

BASE_URL = sys.argv[1]
USDC = "USDC:0x6d1e7cde53ba9467b783cb7c530ce054"
HEARD_WITHIN_S = 20


def control(path, body):
    request = urllib.request.Request(BASE_URL + path, data=json.dumps(body).encode(), headers={"content-type": "application/json"})
    return json.load(urllib.request.urlopen(request))


def statuses(answer):
    assert answer["status"] == "ok", answer
    return answer["response"]["data"]["statuses"]


seen = {}
wallet, agent, stranger = Account.create(), Account.create(), Account.create()
user = wallet.address.lower()
control("/__sim/accounts", {"account": user, "key": agent.address.lower(), "collateral": "100000"})

info = Info(BASE_URL, perp_dexs=["", "xyz"])
exchange = Exchange(agent, BASE_URL, account_address=wallet.address, perp_dexs=["", "xyz"])
owner = Exchange(wallet, BASE_URL, account_address=wallet.address, perp_dexs=["", "xyz"])

heard = set()
all_heard = threading.Event()
WANTED = {"orderUpdates", "userFills", "l2Book", "trades", "bbo", "allMids", "webData2", "userFundings", "activeAssetCtx", "user"}


def listen(message):
    heard.add(message["channel"])
    if WANTED <= heard:
        all_heard.set()


for kind in ["orderUpdates", "userFills", "webData2", "userFundings", "userEvents"]:
    info.subscribe({"type": kind, "user": user}, listen)
for kind in ["l2Book", "trades", "bbo", "activeAssetCtx"]:
    info.subscribe({"type": kind, "coin": "BTC"}, listen)
info.subscribe({"type": "allMids"}, listen)

seen["coins"] = [asset["name"] for asset in info.meta()["universe"]] + [asset["name"] for asset in info.meta(dex="xyz")["universe"]]
seen["mid"] = float(info.all_mids()["BTC"]) > 0
cloid = Cloid.from_str("0x000102030405060708090a0b0c0d0e0f")
placed = statuses(exchange.order("BTC", True, 0.01, 48500, {"limit": {"tif": "Gtc"}}, cloid=cloid))
oid = placed[0]["resting"]["oid"]
found = info.query_order_by_cloid(user, cloid)
seen["byCloid"] = [found["order"]["status"], found["order"]["order"]["oid"] == oid, found["order"]["order"]["origSz"]]
amended = statuses(exchange.modify_order(cloid, "BTC", True, 0.02, 48000, {"limit": {"tif": "Gtc"}}, cloid=cloid))
seen["amended"] = [amended[0]["resting"]["oid"] != oid, [(order["limitPx"], order["sz"]) for order in info.open_orders(user)]]
seen["oldId"] = info.query_order_by_oid(user, oid)["order"]["status"]
seen["canceled"] = statuses(exchange.cancel_by_cloid("BTC", cloid))
seen["canceledAgain"] = statuses(exchange.cancel("BTC", oid))
seen["opened"] = float(statuses(exchange.market_open("BTC", True, 0.01))[0]["filled"]["totalSz"])
seen["position"] = info.user_state(user)["assetPositions"][0]["position"]["szi"]
seen["leverage"] = exchange.update_leverage(5, "ETH")["status"]
seen["closed"] = float(statuses(exchange.market_close("BTC"))[0]["filled"]["totalSz"])
seen["flat"] = info.user_state(user)["assetPositions"]
seen["fills"] = [fill["dir"] for fill in info.user_fills(user)]
seen["stop"] = statuses(exchange.order("BTC", False, 0.01, 80000, {"trigger": {"triggerPx": 80000, "isMarket": True, "tpsl": "sl"}}))[0].keys().__contains__("resting")
seen["transfer"] = owner.send_asset(user, "", "xyz", USDC, 1000.0)["status"]
seen["hip3"] = [float(statuses(exchange.order("xyz:TSLA", True, 1.0, 420, {"limit": {"tif": "Ioc"}}))[0]["filled"]["totalSz"]), info.user_state(user, "xyz")["assetPositions"][0]["position"]["coin"]]
isolated = info.user_state(user, "xyz")["assetPositions"][0]["position"]
added = exchange.update_isolated_margin(25.0, "xyz:TSLA")["status"]
after = info.user_state(user, "xyz")["assetPositions"][0]["position"]
seen["isolated"] = [isolated["leverage"]["type"], added, round(float(after["marginUsed"]) - float(isolated["marginUsed"]))]
group = exchange.bulk_orders([
    {"coin": "SOL", "is_buy": True, "sz": 1.0, "limit_px": 200, "order_type": {"limit": {"tif": "Gtc"}}, "reduce_only": False},
    {"coin": "SOL", "is_buy": False, "sz": 1.0, "limit_px": 300, "order_type": {"trigger": {"triggerPx": 300, "isMarket": True, "tpsl": "tp"}}, "reduce_only": True},
], grouping="normalTpsl")
waiting = [order for order in info.frontend_open_orders(user) if order["coin"] == "SOL"]
seen["group"] = [[kind if isinstance(kind, str) else list(kind)[0] for kind in statuses(group)], [len(order["children"]) for order in waiting]]
sub_account = owner.create_sub_account("desk")["response"]["data"]
seen["subAccount"] = [owner.sub_account_transfer(sub_account, True, 50_000_000)["status"], info.user_state(sub_account)["withdrawable"], statuses(Exchange(wallet, BASE_URL, vault_address=sub_account, account_address=sub_account).order("ETH", True, 0.01, 3000, {"limit": {"tif": "Gtc"}}))[0].keys().__contains__("resting")]
seen["stranger"] = Exchange(stranger, BASE_URL, account_address=wallet.address).order("BTC", True, 0.01, 48500, {"limit": {"tif": "Gtc"}})["response"].replace(stranger.address.lower(), "0x..")
seen["switch"] = exchange.schedule_cancel(int(time.time() * 1000) + 60_000)["status"]
approved, fresh_key = owner.approve_agent("bot")
seen["approved"] = [approved["status"], statuses(Exchange(Account.from_key(fresh_key), BASE_URL, account_address=wallet.address).order("ETH", True, 1, 2000, {"limit": {"tif": "Alo"}}))[0].keys().__contains__("resting")]
control("/__sim/prices", {"symbol": "BTC", "price": "97100"})
all_heard.wait(HEARD_WITHIN_S)
seen["heard"] = sorted(heard)
info.disconnect_websocket()
print(json.dumps(seen))
