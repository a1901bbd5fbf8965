"""Signed routes about balance, positions, leverage and income."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loopback_exchange.errors import ApiError, Code
from loopback_exchange.matching.placement import needed
from loopback_exchange.routes.params import Params, eight, integer, limit_of, number, text

if TYPE_CHECKING:
    from loopback_exchange.exchange import Exchange
    from loopback_exchange.market.specs import SymbolSpec
    from loopback_exchange.matching.account import Position

MAINTENANCE = Decimal("0.005")
# Notional caps (USDT) and the share of the first leverage that each bracket allows.
_BRACKETS = ((0, 50_000, 1), (50_000, 1_000_000, 2), (1_000_000, 100_000_000, 5))


def dual_side(_exchange: Exchange, _params: Params, _at: int) -> dict[str, Any]:
    """GET /fapi/v1/positionSide/dual: one-way mode."""
    return {"dualSidePosition": False}


def multi_assets(_exchange: Exchange, _params: Params, _at: int) -> dict[str, Any]:
    """GET /fapi/v1/multiAssetsMargin: single-asset mode."""
    return {"multiAssetsMargin": False}


def leverage_brackets(exchange: Exchange, params: Params, _at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/leverageBracket, of one symbol or of all."""
    wanted = [needed(params, "symbol")] if "symbol" in params else exchange.market.symbols
    return [
        {"symbol": name, "notionalCoef": 1.0, "brackets": _brackets(exchange.spec(name))}
        for name in wanted
    ]


def _brackets(spec: SymbolSpec) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cum = Decimal(0)
    before = Decimal(0)
    for level, (floor, cap, divisor) in enumerate(_BRACKETS, start=1):
        ratio = MAINTENANCE * level
        cum += floor * (ratio - before)
        before = ratio
        rows.append(
            {
                "bracket": level,
                "initialLeverage": max(1, spec.max_leverage // divisor),
                "notionalCap": cap,
                "notionalFloor": floor,
                "maintMarginRatio": float(ratio),
                "cum": float(cum),
            }
        )
    return rows


def account(exchange: Exchange, _params: Params, at: int) -> dict[str, Any]:
    """GET /fapi/v3/account: balances of the one asset, and the positions."""
    held = exchange.ledger.account
    unrealized = sum((_unrealized(exchange, name, at) for name in held.positions), Decimal(0))
    orders, positions = exchange.open_order_margin, held.position_margin
    risks = position_risk(exchange, {}, at)
    maintenance = sum((Decimal(row["maintMargin"]) for row in risks), Decimal(0))
    amounts = {
        "walletBalance": eight(held.wallet),
        "unrealizedProfit": eight(unrealized),
        "marginBalance": eight(held.wallet + unrealized),
        "initialMargin": eight(orders + positions),
        "positionInitialMargin": eight(positions),
        "openOrderInitialMargin": eight(orders),
        "maintMargin": eight(maintenance),
        "crossWalletBalance": eight(held.wallet - positions),
        "crossUnPnl": eight(0.0),
        "availableBalance": eight(max(exchange.available, Decimal(0))),
        "maxWithdrawAmount": eight(max(exchange.available, Decimal(0))),
    }
    asset = {"asset": "USDT", **amounts, "updateTime": max(held.update_ms, 1)}
    totals = {f"total{name[0].upper()}{name[1:]}": amount for name, amount in amounts.items()}
    return {**totals, "assets": [asset], "positions": risks}


def _unrealized(exchange: Exchange, symbol: str, at: int) -> Decimal:
    position = exchange.ledger.account.position(symbol)
    mark = exchange.book.mark_price(symbol, at)
    return position.unrealized(mark, exchange.spec(symbol).step)


def position_risk(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v3/positionRisk: positions that are not flat."""
    wanted = exchange.spec(params["symbol"]).symbol if "symbol" in params else None
    return [
        _position(exchange, name, position, at)
        for name, position in exchange.ledger.account.positions.items()
        if position.quantity and wanted in {None, name}
    ]


def _position(exchange: Exchange, symbol: str, position: Position, at: int) -> dict[str, Any]:
    spec = exchange.spec(symbol)
    mark = exchange.book.mark_price(symbol, at)
    notional = mark * spec.quantity(position.quantity)
    return {
        "symbol": symbol,
        "positionSide": "BOTH",
        "positionAmt": text(spec.quantity(position.quantity)),
        "entryPrice": number(position.entry_price(spec.step), spec),
        "breakEvenPrice": number(position.entry_price(spec.step), spec),
        "markPrice": eight(mark),
        "unRealizedProfit": eight(position.unrealized(mark, spec.step)),
        "liquidationPrice": number(_liquidation_price(position, spec), spec),
        "isolatedMargin": eight(position.margin + position.unrealized(mark, spec.step)),
        "isolatedWallet": eight(position.margin),
        "notional": eight(notional),
        "marginAsset": "USDT",
        "initialMargin": eight(position.margin),
        "positionInitialMargin": eight(position.margin),
        "openOrderInitialMargin": "0",
        "maintMargin": eight(abs(notional) * MAINTENANCE),
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": position.update_ms,
    }


def _liquidation_price(position: Position, spec: SymbolSpec) -> Decimal:
    """Give the price at which margin and loss leave only the maintenance margin."""
    size = spec.quantity(abs(position.quantity))
    if position.quantity > 0:
        return max(Decimal(0), (position.cost - position.margin) / (size * (1 - MAINTENANCE)))
    return (position.cost + position.margin) / (size * (1 + MAINTENANCE))


def set_leverage(exchange: Exchange, params: Params, _at: int) -> dict[str, Any]:
    """POST /fapi/v1/leverage."""
    spec = exchange.spec(needed(params, "symbol"))
    leverage = integer(params, "leverage")
    if not 1 <= leverage <= spec.max_leverage:
        raise ApiError(Code.BAD_LEVERAGE, leverage=leverage)
    exchange.ledger.account.leverage[spec.symbol] = leverage
    exchange.ledger.save_account()
    caps = (row for row in reversed(_brackets(spec)) if row["initialLeverage"] >= leverage)
    most = str(next(caps)["notionalCap"])
    return {"symbol": spec.symbol, "leverage": leverage, "maxNotionalValue": most}


def set_margin_type(exchange: Exchange, params: Params, _at: int) -> dict[str, Any]:
    """POST /fapi/v1/marginType: ISOLATED; cross margin is not served."""
    spec = exchange.spec(needed(params, "symbol"))
    held = exchange.ledger.account
    if needed(params, "marginType") != "ISOLATED":
        raise ApiError(Code.INVALID_PARAMETER, name="marginType")
    if spec.symbol in held.isolated:
        raise ApiError(Code.MARGIN_TYPE_UNCHANGED)
    if held.position(spec.symbol).quantity:
        raise ApiError(Code.MARGIN_TYPE_LOCKED)
    held.isolated.add(spec.symbol)
    exchange.ledger.save_account()
    return {"code": 200, "msg": "success"}


def income(exchange: Exchange, params: Params, at: int) -> list[dict[str, Any]]:
    """GET /fapi/v1/income: changes of the wallet, oldest first."""
    symbol = exchange.spec(params["symbol"]).symbol if "symbol" in params else None
    kind = params.get("incomeType")
    start, end = integer(params, "startTime", 0), integer(params, "endTime", at)
    limit = limit_of(params, 100, 1000)
    found = [
        {
            "symbol": row.symbol,
            "incomeType": row.kind,
            "income": text(row.amount),
            "asset": "USDT",
            "info": row.kind,
            "time": row.time_ms,
            "tranId": row.id,
            "tradeId": "" if row.trade_id is None else str(row.trade_id),
        }
        for row in sorted(exchange.ledger.income, key=lambda row: row.time_ms)
        if symbol in {None, row.symbol} and kind in {None, row.kind} and start <= row.time_ms <= end
    ]
    return found[:limit] if "startTime" in params else found[-limit:]
