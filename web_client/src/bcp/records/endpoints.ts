/** One function per route of the records; the files are links, so that the browser saves them by itself. */
import { request, type RequestOptions } from "../../api/http";
import type { Capacity, CallLists, Drills, DutyPeople, ReachView, ReportDetail, ReportHead } from "./types";

const API = "/api/v1";
const part = encodeURIComponent;
const of = (id: string) => `/bcp/declarations/${part(id)}`;

export const records = {
  reach: (id: string, options: RequestOptions = {}) =>
    request<ReachView>("GET", `${of(id)}/reach`, undefined, options),
  callLists: (id: string, options: RequestOptions = {}) =>
    request<CallLists>("GET", `${of(id)}/reach/people`, undefined, options),
  dutyPeople: (id: string, duty: string, options: RequestOptions = {}) =>
    request<DutyPeople>("GET", `${of(id)}/reach/duties/${part(duty)}`, undefined, options),
  reports: (options: RequestOptions = {}) =>
    request<{ readonly items: readonly ReportHead[] }>("GET", "/bcp/reports", undefined, options),
  report: (id: string, options: RequestOptions = {}) =>
    request<ReportDetail>("GET", `/bcp/reports/${part(id)}`, undefined, options),
  /** Reads all events of the time: patience. */
  freeze: (id: string) => request<ReportHead>("POST", `${of(id)}/report`, {}, { timeoutMs: 60_000 }),
  capacity: (options: RequestOptions = {}) => request<Capacity>("GET", "/bcp/capacity", undefined, options),
  drills: (options: RequestOptions = {}) => request<Drills>("GET", "/bcp/drills", undefined, options),
};

export const files = {
  notice: (declarationId: string) => `${API}${of(declarationId)}/notice`,
  pdf: (reportId: string) => `${API}/bcp/reports/${part(reportId)}/pdf`,
  csv: (reportId: string) => `${API}/bcp/reports/${part(reportId)}/csv`,
};
