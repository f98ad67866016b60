"""What can happen that a user may want to hear, how much it matters, and how it reads by default.

A default wording is a Jinja2 template over the event's data. A user may write his own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SEVERITIES: Final = ("info", "warning", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One kind of event.

    Attributes:
        name: Its name, which is also the topic it arrives by.
        severity: How much it matters when the event does not say.
        label: What people call it, by language.
        title: Default title, by language.
        body: Default text, by language.
        sample: Data of an example, for previews.
    """

    name: str
    severity: str
    label: Mapping[str, str]
    title: Mapping[str, str]
    body: Mapping[str, str]
    sample: Mapping[str, Any]


def _kind(
    name: str,
    severity: str,
    label: tuple[str, str],
    title: tuple[str, str],
    body: tuple[str, str],
    /,
    **sample: Any,
) -> EventKind:
    def both(pair: tuple[str, str]) -> dict[str, str]:
        return {"en": pair[0], "zh-CN": pair[1]}

    return EventKind(
        name=name, severity=severity, label=both(label), title=both(title), body=both(body), sample=sample
    )


EVENTS: Final[dict[str, EventKind]] = {
    kind.name: kind
    for kind in (
        _kind(
            "order.filled",
            "info",
            ("Order filled", "订单成交"),
            (
                "{{ side }} {{ quantity }} {{ instrument }} filled",
                "{{ instrument }} {{ side }} {{ quantity }} 已成交",
            ),
            (
                "{{ strategy or 'Manual' }}: {{ side }} {{ quantity }} {{ instrument }} at {{ price }}, fee {{ fee }}.",
                "{{ strategy or '手动' }}：{{ instrument }} {{ side }} {{ quantity }}，成交价 {{ price }}，手续费 {{ fee }}。",
            ),
            side="buy",
            quantity="0.5",
            instrument="gate:BTC/USDT",
            price="61250.1",
            fee="0.03 USDT",
            strategy="SmaCross",
        ),
        _kind(
            "order.rejected",
            "warning",
            ("Order rejected", "订单被拒绝"),
            ("Order rejected: {{ instrument }}", "订单被拒绝：{{ instrument }}"),
            (
                "{{ side }} {{ quantity }} {{ instrument }} was rejected: {{ reason }}.",
                "{{ instrument }} {{ side }} {{ quantity }} 被拒绝：{{ reason }}。",
            ),
            side="buy",
            quantity="0.5",
            instrument="gate:BTC/USDT",
            reason="insufficient balance",
            strategy="SmaCross",
        ),
        _kind(
            "order.unknown",
            "critical",
            ("Order outcome unknown", "订单结果未知"),
            ("Outcome unknown: {{ instrument }}", "订单结果未知：{{ instrument }}"),
            (
                "{{ side }} {{ quantity }} {{ instrument }} was sent and nothing came back; it is being reconciled.",
                "{{ instrument }} {{ side }} {{ quantity }} 已发送但没有回应，正在核对。",
            ),
            side="buy",
            quantity="0.5",
            instrument="gate:BTC/USDT",
        ),
        _kind(
            "position.liquidated",
            "critical",
            ("Position liquidated", "仓位被强平"),
            ("Liquidated: {{ instrument }}", "强平：{{ instrument }}"),
            (
                "The position of {{ quantity }} {{ instrument }} was liquidated at {{ price }}.",
                "{{ instrument }} 仓位 {{ quantity }} 已在 {{ price }} 被强平。",
            ),
            quantity="1.2",
            instrument="gate:BTC/USDT:USDT",
            price="58000",
        ),
        _kind(
            "position.drift",
            "critical",
            ("Position differs from the venue", "仓位与交易所不一致"),
            ("Drift: {{ instrument }}", "仓位偏差：{{ instrument }}"),
            ("Ours is {{ ours }}, the venue says {{ venue }}.", "本地为 {{ ours }}，交易所为 {{ venue }}。"),
            instrument="gate:BTC/USDT:USDT",
            ours="1.0",
            venue="1.1",
        ),
        _kind(
            "strategy.started",
            "info",
            ("Strategy started", "策略已启动"),
            ("{{ strategy }} started", "{{ strategy }} 已启动"),
            ("{{ strategy }} runs on {{ mode }}.", "{{ strategy }} 正在运行（{{ mode }}）。"),
            strategy="SmaCross",
            mode="paper",
        ),
        _kind(
            "strategy.stopped",
            "warning",
            ("Strategy stopped", "策略已停止"),
            ("{{ strategy }} stopped", "{{ strategy }} 已停止"),
            ("{{ strategy }} stopped: {{ reason }}.", "{{ strategy }} 已停止：{{ reason }}。"),
            strategy="SmaCross",
            reason="by the user",
        ),
        _kind(
            "strategy.fault",
            "critical",
            ("Strategy failed", "策略出错"),
            ("{{ strategy }} failed", "{{ strategy }} 出错"),
            ("{{ strategy }}: {{ error }} ({{ where }}).", "{{ strategy }}：{{ error }}（{{ where }}）。"),
            strategy="SmaCross",
            error="division by zero",
            where="sma.py, line 21",
        ),
        _kind(
            "risk.denied",
            "warning",
            ("Order denied by risk rules", "订单被风控拒绝"),
            ("Risk: {{ rule }}", "风控：{{ rule }}"),
            (
                "{{ instrument }} {{ side }} {{ quantity }} was not sent: {{ explanation }}.",
                "{{ instrument }} {{ side }} {{ quantity }} 未发送：{{ explanation }}。",
            ),
            rule="max_position",
            instrument="gate:BTC/USDT",
            side="buy",
            quantity="5",
            explanation="the position would be 6, the limit is 5",
        ),
        _kind(
            "risk.killed",
            "critical",
            ("Kill switch", "紧急停止"),
            ("Trading stopped", "交易已停止"),
            ("The kill switch was pulled: {{ reason }}.", "紧急停止已触发：{{ reason }}。"),
            reason="daily loss limit",
        ),
        _kind(
            "venue.down",
            "critical",
            ("Exchange does not answer", "交易所无响应"),
            ("{{ venue }} does not answer", "{{ venue }} 无响应"),
            (
                "{{ venue }}: {{ error }}, for {{ seconds }} s.",
                "{{ venue }}：{{ error }}，已持续 {{ seconds }} 秒。",
            ),
            venue="gate",
            error="connection refused",
            seconds=40,
        ),
        _kind(
            "alert.fired",
            "warning",
            ("Alert", "警报"),
            ("{{ name }}", "{{ name }}"),
            (
                "{{ name }}: {{ condition }}; now {{ value }}.",
                "{{ name }}：{{ condition }}；当前值 {{ value }}。",
            ),
            name="BTC above 70 000",
            condition="price > 70000",
            value="70012.4",
        ),
        _kind(
            "backtest.finished",
            "info",
            ("Backtest finished", "回测完成"),
            ("Backtest of {{ strategy }} finished", "{{ strategy }} 回测完成"),
            (
                "Return {{ total_return }}, drawdown {{ max_drawdown }}.",
                "收益 {{ total_return }}，回撤 {{ max_drawdown }}。",
            ),
            strategy="SmaCross",
            total_return="12.3 %",
            max_drawdown="4.5 %",
        ),
        _kind(
            "optimization.finished",
            "info",
            ("Optimisation finished", "参数优化完成"),
            ("Optimisation of {{ strategy }} finished", "{{ strategy }} 参数优化完成"),
            ("{{ trials }} trials, best {{ best }}.", "共 {{ trials }} 次试验，最佳 {{ best }}。"),
            strategy="SmaCross",
            trials=200,
            best="Sharpe 1.4",
        ),
        _kind(
            "security.signed_in",
            "info",
            ("Signed in", "登录"),
            ("Signed in from {{ address }}", "来自 {{ address }} 的登录"),
            (
                "{{ device }}. If this was not you, end all sessions and change your password.",
                "{{ device }}。如非本人操作，请结束所有会话并修改密码。",
            ),
            address="203.0.113.7",
            device="Firefox",
        ),
        _kind(
            "security.locked",
            "warning",
            ("Account locked", "账户已锁定"),
            ("Account locked", "账户已锁定"),
            (
                "Too many wrong passwords or codes; locked for {{ minutes }} minutes.",
                "密码或验证码错误次数过多，已锁定 {{ minutes }} 分钟。",
            ),
            minutes=15,
        ),
        _kind(
            "security.password_changed",
            "warning",
            ("Password changed", "密码已修改"),
            ("Password changed", "密码已修改"),
            (
                "Your password was changed from {{ address }}; other sessions were ended.",
                "您的密码已从 {{ address }} 修改，其他会话已结束。",
            ),
            address="203.0.113.7",
        ),
        _kind(
            "security.second_factor",
            "warning",
            ("Second factor changed", "两步验证变更"),
            ("Second factor {{ 'on' if on else 'off' }}", "两步验证已{{ '开启' if on else '关闭' }}"),
            (
                "The second factor was turned {{ 'on' if on else 'off' }}.",
                "两步验证已{{ '开启' if on else '关闭' }}。",
            ),
            on=True,
        ),
        _kind(
            "security.token_reused",
            "critical",
            ("Stolen session suspected", "疑似会话被盗"),
            ("All sessions were ended", "所有会话已结束"),
            (
                "A session token was used twice, the second time from {{ address }}. Sign in again and change your password.",
                "会话令牌被重复使用（来自 {{ address }}）。请重新登录并修改密码。",
            ),
            address="203.0.113.7",
        ),
        _kind(
            "security.api_key",
            "warning",
            ("API key created", "已创建 API 密钥"),
            ("API key {{ name }} created", "已创建 API 密钥 {{ name }}"),
            ("A new API key named {{ name }} was created.", "新的 API 密钥 {{ name }} 已创建。"),
            name="bot",
        ),
        _kind(
            "security.credential",
            "warning",
            ("Exchange key saved", "已保存交易所密钥"),
            ("Exchange key {{ name }} saved", "已保存交易所密钥 {{ name }}"),
            ("A key named {{ name }} was saved.", "名为 {{ name }} 的密钥已保存。"),
            name="gate main",
        ),
        _kind(
            "kyc.reviewed",
            "info",
            ("Identity check decided", "身份审核结果"),
            ("Identity check {{ status }}", "身份审核：{{ status }}"),
            (
                "Your identity check was {{ status }}. {{ reason }}",
                "您的身份审核结果：{{ status }}。{{ reason }}",
            ),
            status="approved",
            reason="",
        ),
        _kind(
            "system.backup_failed",
            "critical",
            ("Backup failed", "备份失败"),
            ("Backup failed", "备份失败"),
            ("The scheduled backup failed: {{ error }}.", "定时备份失败：{{ error }}。"),
            error="disk full",
        ),
        _kind(
            "test",
            "info",
            ("Test message", "测试消息"),
            ("CashUp test message", "CashUp 测试消息"),
            ("This channel works.", "该通知渠道工作正常。"),
        ),
    )
}
