package web_test

import (
	"strings"
	"testing"
)

// A release is rolled out to some gates, paused, and forgotten only where nobody
// is offered it.
func TestConsole_AReleaseIsRolledOutAndPaused(t *testing.T) {
	t.Parallel()
	api := newConsoleFake(t)
	c := openConsole(t, api)
	c.size(1280, 800)
	digest := strings.Repeat("0", 62)
	api.set("PUT /releases/"+digest+"03/rollout", 200, `{}`)
	api.set("PUT /releases/"+digest+"01/rollout", 200, `{}`)
	api.set("POST /releases", 422, refusal("not_a_release", "不是本站点根密钥签署的版本，或程序与清单不符 the site root did not sign this, or the program is another one", `{}`))
	c.open("/gates/releases")
	c.text("先给选定的校门")
	c.text("程序文件不在服务器上，请重新上传")
	c.text("0 / 2 台已运行")
	c.press("提供版本 1.2.0（linux/amd64）")
	c.choose("提供给", "全部")
	c.dialog()
	c.text("已保存")
	c.called("PUT /releases/"+digest+"03/rollout", `"reach":"all"`, `"paused":false`)
	c.press("暂停: 1.3.0 linux/amd64")
	c.called("PUT /releases/"+digest+"01/rollout", `"reach":"chosen"`, `"gates":[1,2]`, `"paused":true`)
	c.press("上传并校验")
	c.text("请选择两个文件")
	eval[bool](t, c.ctx, `(() => {
		for (const [at, name] of [[0, 'release.txt'], [1, 'gateagent']]) {
			const box = document.querySelectorAll('input[type=file]')[at], files = new DataTransfer()
			files.items.add(new File(['not a release'], name))
			box.files = files.files
			box.dispatchEvent(new Event('change'))
		}
		return true
	})()`)
	c.press("上传并校验")
	c.text("不是本站点根密钥签署的版本")
}
