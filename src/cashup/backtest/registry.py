"""Every statistic of a backtest: its name, group, unit, formula and source, in one table.

`cashup.backtest.statistics` computes them; reports and the reference page take their words from here.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Statistic(NamedTuple):
    """What one figure means.

    Attributes:
        key: Its name in `Result.statistics`.
        group: Where reports show it.
        unit: "fraction" (0.05 is 5 %), "ratio", "money" (settlement currency), "count", "days" or "hours".
        label: English name.
        label_zh: Chinese name.
        formula: How it is computed.
        source: Who defined it, where that is not obvious.
    """

    key: str
    group: str
    unit: str
    label: str
    label_zh: str
    formula: str
    source: str = ""


GROUPS: Final = {
    "returns": ("Returns", "收益"),
    "risk": ("Risk-adjusted", "风险调整"),
    "drawdown": ("Drawdown", "回撤"),
    "tail": ("Distribution", "分布与尾部"),
    "trades": ("Trades", "交易"),
    "exposure": ("Exposure", "敞口"),
    "costs": ("Costs", "成本"),
    "benchmark": ("Against buy and hold", "相对买入持有"),
    "counters": ("Counters", "计数"),
}
"""Groups in the order they are shown: English and Chinese titles."""

# fmt: off
REGISTRY: Final[tuple[Statistic, ...]] = (
    Statistic("total_return", "returns", "fraction", "Total return", "总收益率", "final equity / cash - 1"),
    Statistic("cagr", "returns", "fraction", "Annual growth (CAGR)", "年化收益率", "(final equity / cash)^(1/years) - 1, years of 365.25 days"),
    Statistic("final_equity", "returns", "money", "Final equity", "期末权益", "equity at the last bar"),
    Statistic("profit", "returns", "money", "Net profit", "净利润", "final equity - cash"),
    Statistic("best_day", "returns", "fraction", "Best day", "最佳单日", "largest daily return"),
    Statistic("worst_day", "returns", "fraction", "Worst day", "最差单日", "smallest daily return"),
    Statistic("best_month", "returns", "fraction", "Best month", "最佳单月", "largest monthly return"),
    Statistic("worst_month", "returns", "fraction", "Worst month", "最差单月", "smallest monthly return"),
    Statistic("average_day", "returns", "fraction", "Average day", "日均收益", "arithmetic mean of daily returns"),
    Statistic("positive_days", "returns", "fraction", "Days in profit", "盈利天数占比", "share of daily returns above 0"),
    Statistic("positive_months", "returns", "fraction", "Months in profit", "盈利月数占比", "share of monthly returns above 0"),
    Statistic("annual_mean", "returns", "fraction", "Annual mean return", "年化算术收益", "mean daily return x 365"),
    Statistic("sharpe", "risk", "ratio", "Sharpe ratio", "夏普比率", "mean / deviation of daily returns x sqrt(365), no risk-free rate", "Sharpe (1994)"),
    Statistic("sharpe_low", "risk", "ratio", "Sharpe, 95 % low", "夏普 95% 下限", "Sharpe - 1.96 x its standard error", "Mertens (2002)"),
    Statistic("sharpe_high", "risk", "ratio", "Sharpe, 95 % high", "夏普 95% 上限", "Sharpe + 1.96 x its standard error", "Mertens (2002)"),
    Statistic("probabilistic_sharpe", "risk", "fraction", "Probability of skill", "夏普大于零的概率", "probability that the true Sharpe ratio is above 0", "Bailey & Lopez de Prado (2012)"),
    Statistic("deflated_sharpe", "risk", "fraction", "Deflated Sharpe", "去膨胀夏普", "the same against the best of the trials run", "Bailey & Lopez de Prado (2014)"),
    Statistic("sortino", "risk", "ratio", "Sortino ratio", "索提诺比率", "annual mean / downside deviation", "Sortino & Price (1994)"),
    Statistic("calmar", "risk", "ratio", "Calmar ratio", "卡玛比率", "CAGR / maximum drawdown", "Young (1991)"),
    Statistic("omega", "risk", "ratio", "Omega ratio", "欧米伽比率", "gains / losses of daily returns around 0", "Keating & Shadwick (2002)"),
    Statistic("volatility", "risk", "fraction", "Annual volatility", "年化波动率", "deviation of daily returns x sqrt(365)"),
    Statistic("downside_deviation", "risk", "fraction", "Downside deviation", "下行波动率", "root mean square of negative daily returns x sqrt(365)", "Sortino & Price (1994)"),
    Statistic("gain_to_pain", "risk", "ratio", "Gain to pain", "收益痛苦比", "sum of daily returns / sum of losses", "Schwager (2012)"),
    Statistic("tail_ratio", "risk", "ratio", "Tail ratio", "尾部比率", "95th / 5th percentile of daily returns, absolute"),
    Statistic("common_sense_ratio", "risk", "ratio", "Common sense ratio", "常识比率", "profit factor of days x tail ratio"),
    Statistic("stability", "risk", "ratio", "Stability", "稳定性", "R squared of log equity against time"),
    Statistic("k_ratio", "risk", "ratio", "K-ratio", "K 比率", "slope of log equity / (its error x days)", "Kestner (2013)"),
    Statistic("skewness", "tail", "ratio", "Skewness", "偏度", "third standardised moment of daily returns"),
    Statistic("kurtosis", "tail", "ratio", "Excess kurtosis", "超额峰度", "fourth standardised moment - 3"),
    Statistic("value_at_risk", "tail", "fraction", "Daily VaR 95 %", "日 VaR 95%", "5th percentile of daily returns"),
    Statistic("conditional_value_at_risk", "tail", "fraction", "Daily CVaR 95 %", "日 CVaR 95%", "mean of the worst 5 % of days", "Rockafellar & Uryasev (2000)"),
    Statistic("normal_value_at_risk", "tail", "fraction", "Daily VaR 95 %, normal", "正态日 VaR 95%", "mean - 1.645 x deviation"),
    Statistic("cornish_fisher_value_at_risk", "tail", "fraction", "Daily VaR 95 %, corrected", "修正日 VaR 95%", "normal VaR corrected for skewness and kurtosis", "Favre & Galeano (2002)"),
    Statistic("autocorrelation", "tail", "ratio", "Autocorrelation", "自相关", "correlation of daily returns with the day before"),
    Statistic("max_drawdown", "drawdown", "fraction", "Maximum drawdown", "最大回撤", "lowest equity / highest before - 1, at bar closes"),
    Statistic("average_drawdown", "drawdown", "fraction", "Average drawdown", "平均回撤", "mean depth of all drawdowns"),
    Statistic("max_drawdown_days", "drawdown", "days", "Longest drawdown", "最长回撤天数", "days from a high to its recovery"),
    Statistic("current_drawdown", "drawdown", "fraction", "Drawdown at the end", "期末回撤", "final equity / highest - 1"),
    Statistic("drawdown_count", "drawdown", "count", "Drawdowns", "回撤次数", "stays below a former high"),
    Statistic("time_under_water", "drawdown", "fraction", "Time under water", "水下时间占比", "share of bars below a former high"),
    Statistic("ulcer_index", "drawdown", "fraction", "Ulcer index", "溃疡指数", "root mean square of drawdowns", "Martin & McCann (1989)"),
    Statistic("pain_index", "drawdown", "fraction", "Pain index", "痛苦指数", "mean drawdown"),
    Statistic("ulcer_performance", "drawdown", "ratio", "Ulcer performance", "溃疡绩效指数", "CAGR / ulcer index", "Martin & McCann (1989)"),
    Statistic("recovery_factor", "drawdown", "ratio", "Recovery factor", "恢复因子", "net profit / largest drawdown in money"),
    Statistic("trades", "trades", "count", "Trades", "交易次数", "round trips, open ones included"),
    Statistic("open_trades", "trades", "count", "Open trades", "未平仓交易", "trades still on at the end"),
    Statistic("win_rate", "trades", "fraction", "Win rate", "胜率", "closed trades with a profit / closed trades"),
    Statistic("profit_factor", "trades", "ratio", "Profit factor", "盈利因子", "sum of gains / sum of losses"),
    Statistic("payoff_ratio", "trades", "ratio", "Payoff ratio", "盈亏比", "mean gain / mean loss"),
    Statistic("expectancy", "trades", "money", "Expectancy", "每笔期望", "mean profit of closed trades"),
    Statistic("average_trade", "trades", "fraction", "Average trade", "平均每笔收益", "mean return of closed trades"),
    Statistic("median_trade", "trades", "fraction", "Median trade", "收益中位数", "median return of closed trades"),
    Statistic("best_trade", "trades", "fraction", "Best trade", "最佳交易", "largest return"),
    Statistic("worst_trade", "trades", "fraction", "Worst trade", "最差交易", "smallest return"),
    Statistic("average_win", "trades", "fraction", "Average win", "平均盈利", "mean return of winning trades"),
    Statistic("average_loss", "trades", "fraction", "Average loss", "平均亏损", "mean return of losing trades"),
    Statistic("longest_winning_streak", "trades", "count", "Longest winning streak", "最长连胜", "wins in a row"),
    Statistic("longest_losing_streak", "trades", "count", "Longest losing streak", "最长连败", "losses in a row"),
    Statistic("system_quality", "trades", "ratio", "System quality number", "系统质量数", "sqrt(n) x mean / deviation of profits", "Tharp (2008)"),
    Statistic("kelly_fraction", "trades", "fraction", "Kelly fraction", "凯利比例", "p - (1 - p) / b", "Kelly (1956)"),
    Statistic("average_bars", "trades", "count", "Average bars held", "平均持仓 K 线数", "mean bars of closed trades"),
    Statistic("average_hours", "trades", "hours", "Average holding time", "平均持仓小时", "mean duration of closed trades"),
    Statistic("longest_hours", "trades", "hours", "Longest holding time", "最长持仓小时", "longest duration of closed trades"),
    Statistic("average_mae", "trades", "fraction", "Average adverse excursion", "平均最大不利", "mean of the worst unrealised returns", "Sweeney (1996)"),
    Statistic("average_mfe", "trades", "fraction", "Average favourable excursion", "平均最大有利", "mean of the best unrealised returns", "Sweeney (1996)"),
    Statistic("long_trades", "trades", "count", "Long trades", "多头交易", "trades that bought first"),
    Statistic("short_trades", "trades", "count", "Short trades", "空头交易", "trades that sold first"),
    Statistic("long_profit", "trades", "money", "Profit of longs", "多头盈利", "sum of profits of long trades"),
    Statistic("short_profit", "trades", "money", "Profit of shorts", "空头盈利", "sum of profits of short trades"),
    Statistic("trades_per_month", "trades", "ratio", "Trades a month", "月均交易次数", "trades / months of 30.44 days"),
    Statistic("time_in_market", "exposure", "fraction", "Time in the market", "持仓时间占比", "share of bars with a position"),
    Statistic("average_exposure", "exposure", "fraction", "Average exposure", "平均敞口", "mean of position value / equity over all bars"),
    Statistic("max_leverage", "exposure", "ratio", "Highest exposure", "最大敞口", "largest position value / equity"),
    Statistic("turnover", "exposure", "ratio", "Turnover", "换手率", "value traded / cash"),
    Statistic("fees", "costs", "money", "Fees", "手续费", "sum of fees paid"),
    Statistic("funding", "costs", "money", "Funding", "资金费", "funding received less paid"),
    Statistic("slippage_cost", "costs", "money", "Slippage", "滑点成本", "difference to the price without slippage"),
    Statistic("cost_share", "costs", "fraction", "Costs over gross profit", "成本占毛利", "(fees + slippage - funding) / profit before them"),
    Statistic("benchmark_return", "benchmark", "fraction", "Buy and hold", "买入持有", "last close / first close - 1"),
    Statistic("benchmark_max_drawdown", "benchmark", "fraction", "Drawdown of buy and hold", "买入持有最大回撤", "of the first instrument's closes"),
    Statistic("excess_return", "benchmark", "fraction", "Return above buy and hold", "超额收益", "total return - buy and hold"),
    Statistic("alpha", "benchmark", "fraction", "Alpha", "阿尔法", "annual return beta does not explain", "Jensen (1968)"),
    Statistic("beta", "benchmark", "ratio", "Beta", "贝塔", "covariance / variance of the benchmark, daily", "Sharpe (1964)"),
    Statistic("correlation", "benchmark", "ratio", "Correlation", "相关系数", "of daily returns"),
    Statistic("tracking_error", "benchmark", "fraction", "Tracking error", "跟踪误差", "annual deviation of the difference"),
    Statistic("information_ratio", "benchmark", "ratio", "Information ratio", "信息比率", "annual mean difference / tracking error", "Grinold & Kahn (1999)"),
    Statistic("up_capture", "benchmark", "ratio", "Up capture", "上行捕获", "growth in rising periods / the benchmark's"),
    Statistic("down_capture", "benchmark", "ratio", "Down capture", "下行捕获", "growth in falling periods / the benchmark's"),
    Statistic("orders", "counters", "count", "Orders", "订单数", "orders sent"),
    Statistic("fills", "counters", "count", "Fills", "成交数", "fills booked"),
    Statistic("rejected_orders", "counters", "count", "Rejected orders", "被拒订单", "orders refused by the rules of the venue"),
    Statistic("liquidations", "counters", "count", "Liquidations", "强平次数", "positions closed by the venue"),
    Statistic("ambiguous_bars", "counters", "count", "Ambiguous bars", "歧义 K 线", "bars that held both stop and target; the worse was taken"),
    Statistic("bars", "counters", "count", "Bars", "K 线数", "decision bars"),
    Statistic("years", "counters", "ratio", "Years", "年数", "length of the data, years of 365.25 days"),
)
# fmt: on

BY_KEY: Final = {item.key: item for item in REGISTRY}
