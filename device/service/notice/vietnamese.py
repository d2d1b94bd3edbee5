"""The notice in Vietnamese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from device.model import KeptField
from device.privacy.keeping import Form
from device.service.notice.pages import Gap, Notice, Part, said
from device.service.notice.practice import Departure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from device.service.notice.pages import Paragraph
    from device.service.notice.practice import Practice

KINDS: Final = {
    "vn.cccd": "thẻ căn cước hoặc căn cước công dân gắn chip",
    "vn.qr-national": "mã QR cá nhân quốc gia",
    "vn.bhyt": "thẻ bảo hiểm y tế",
    "eu.dcc": "chứng nhận COVID-19 điện tử",
    "shc": "thẻ sức khỏe điện tử SMART",
    "cwt.claim169": "mã định danh có chữ ký số",
    "cwt.pass": "thẻ ra vào có mã QR",
    "jws.pass": "thẻ ra vào có mã QR",
}
FIELDS: Final = {
    KeptField.IDENTIFIER: "số định danh",
    KeptField.NAME: "họ tên",
    KeptField.BORN: "ngày sinh",
}


def notice(practice: Practice, *, made_on: str) -> Notice:
    """The notice for this practice. Pure.

    Args:
        practice: what is to be told.
        made_on: date, as it is to be read.
    """
    parts = (
        Part("Thiết bị này làm gì?", tuple(_what(practice))),
        Part("Những gì được lưu lại?", tuple(_kept(practice))),
        Part("Lưu để làm gì?", (_why(practice),)),
        Part("Lưu trong bao lâu?", tuple(_how_long(practice))),
        Part("Ai nhận dữ liệu?", tuple(_who(practice))),
        Part("Liên hệ với ai?", tuple(_ask(practice))),
    )
    made = f"Cổng {practice.gate}. Lập ngày {made_on} theo đúng cấu hình đang dùng của thiết bị."
    return Notice("vi", "Thông báo về việc xử lý dữ liệu cá nhân", practice.place, parts, made)


def _what(practice: Practice) -> Iterator[Paragraph]:
    yield said(
        "Thiết bị đọc mã QR mà quý vị đưa ra trước camera, xác định quý vị có được qua hay không rồi báo "
        "bằng đèn và âm thanh. Camera chỉ dùng để tìm mã QR: không hình ảnh nào được lưu lại, không ai xem "
        "hình ngoài kỹ thuật viên khi chỉnh camera; thiết bị không nhận dạng khuôn mặt."
    )
    kinds = _joined(list(dict.fromkeys(KINDS[kind] for kind in practice.accepts)))
    yield said(f"Các loại mã được chấp nhận: {kinds}.")
    if practice.beam:
        yield said("Cảm biến quang đếm số lượt người qua lại mà không biết đó là ai.")


def _kept(practice: Practice) -> Iterator[Paragraph]:
    yield said(
        "Với mỗi lần quét, thiết bị lưu thời điểm, cổng, loại mã, kết quả, lý do và một mã thay thế. Mã thay "
        "thế được tính từ số định danh bằng khóa bí mật: nhờ đó biết được các lần quét là của cùng một "
        "người, nhưng nếu không có khóa thì không biết người đó là ai."
    )
    if practice.takes_persons:
        yield said(_identity(practice.form, practice.fields, "trong mã của quý vị"))
    if practice.takes_passes:
        yield said(_identity(practice.form, practice.fields_of_passes, "trên thẻ ra vào"))
    if practice.lists:
        yield said("Mã được đối chiếu với danh sách do đơn vị quản lý cung cấp.")
    if practice.remembers_h is not None:
        yield said(
            f"Thiết bị ghi nhớ ai đang ở bên trong, chỉ bằng mã thay thế, tối đa {practice.remembers_h} giờ."
        )


def _identity(form: Form, fields: Sequence[KeptField], where: str) -> str:
    names = _joined([FIELDS[field] for field in KeptField if field in fields])
    first = names[:1].upper() + names[1:]
    if not fields:
        return f"Số định danh, họ tên và các thông tin khác {where} không được lưu."
    match form:
        case Form.SEALED:
            return (
                f"{first} {where} được mã hóa ngay trong thiết bị; chỉ nơi nhận dữ liệu có khóa để đọc, "
                "chính thiết bị này cũng không đọc lại được. Các thông tin khác trong mã không được lưu."
            )
        case Form.CLEAR | Form.NOT:
            return f"{first} {where} được lưu ở dạng đọc được. Các thông tin khác trong mã không được lưu."


def _why(practice: Practice) -> Paragraph:
    return said(practice.purpose or "Kiểm soát việc ra vào tại địa điểm này.")


def _how_long(practice: Practice) -> Iterator[Paragraph]:
    days = practice.keep_days
    kept = (
        f"Trên thiết bị: {days} ngày, sau đó dữ liệu bị xóa hẳn."
        if days
        else "Dữ liệu bị xóa hẳn khỏi thiết bị trong vòng một giờ sau khi đã chuyển đi."
    )
    match practice.departure:
        case Departure.NEVER:
            yield said(
                "Dữ liệu nằm trên thiết bị cho đến khi đơn vị quản lý lấy ra và xóa"
                + ("; khi bộ nhớ dành riêng đã đầy, dữ liệu cũ nhất bị xóa." if practice.drops else ".")
            )
        case Departure.WHEN_SENT:
            yield said(f"{kept} Dữ liệu chưa chuyển được thì giữ lại cho đến khi chuyển xong.")
        case Departure.WHEN_CONFIRMED:
            yield said(f"{kept} Dữ liệu mà nơi nhận chưa xác nhận đã lưu thì giữ lại cho đến khi xác nhận.")
    if practice.departure is not Departure.NEVER:
        yield said(
            "Nơi nhận dữ liệu có thời hạn lưu trữ riêng; quý vị có thể hỏi theo thông tin liên hệ dưới đây."
        )


def _who(practice: Practice) -> Iterator[Paragraph]:
    if practice.departure is Departure.NEVER:
        yield said("Thiết bị không gửi dữ liệu đi đâu. Đơn vị quản lý: ", _controller(practice), ".")
        return
    line = "qua đường truyền được mã hóa" if practice.encrypted else "qua đường truyền không mã hóa"
    yield said(
        _controller(practice), f". Dữ liệu được gửi {line}; thiết bị không gửi dữ liệu đến nơi nào khác."
    )


def _ask(practice: Practice) -> Iterator[Paragraph]:
    contact = practice.contact or Gap("điện thoại, địa chỉ liên hệ: privacy.contact")
    yield said("Đơn vị chịu trách nhiệm: ", _controller(practice))
    yield said("Liên hệ: ", contact)
    yield said(
        "Muốn xem, sửa hoặc xóa dữ liệu của mình, xin liên hệ theo địa chỉ trên và cho biết cổng, ngày giờ "
        "đi qua. Dữ liệu cá nhân được bảo vệ theo Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15 và Nghị định "
        "số 356/2025/NĐ-CP, có hiệu lực từ ngày 01/01/2026."
    )


def _controller(practice: Practice) -> str | Gap:
    return practice.controller or Gap("tên cơ quan, đơn vị: privacy.controller")


def _joined(words: Sequence[str]) -> str:
    *before, last = words or ("",)
    return f"{', '.join(before)} và {last}" if before else last
