"""The backtest report: one HTML file with everything in it."""

from cashup.backtest.report.adapter import report_input_of, report_of
from cashup.backtest.report.input import Bars, Costs, ReportInput, Statistic
from cashup.backtest.report.page import build_report

__all__ = ["Bars", "Costs", "ReportInput", "Statistic", "build_report", "report_input_of", "report_of"]
